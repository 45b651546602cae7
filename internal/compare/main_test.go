package main

import "testing"

// TestJudge: a finding counts for the rule that it means, at its place, once.
func TestJudge(t *testing.T) {
	tl := tool{means: map[string][]string{"theirs": {"a", "b"}}}
	at := func(line int, rule string) finding { return finding{"f.sql", line, rule} }
	for _, c := range []struct {
		name          string
		found, expect []finding
		want          score
	}{
		{"nothing", nil, nil, score{}},
		{"right", []finding{at(1, "theirs"), at(2, "theirs")}, []finding{at(1, "a"), at(2, "b")}, score{hits: 2}},
		{"told twice", []finding{at(1, "theirs"), at(1, "theirs")}, []finding{at(1, "a")}, score{hits: 1}},
		{"another rule of theirs", []finding{at(1, "style")}, nil, score{}},
		{"another line", []finding{at(3, "theirs")}, []finding{at(1, "a")}, score{wrong: 1, misses: 1}},
		{"another meaning", []finding{at(1, "theirs")}, []finding{at(1, "c")}, score{wrong: 1, misses: 1}},
		{"one of two meanings", []finding{at(1, "theirs")}, []finding{at(1, "a"), at(1, "c")}, score{hits: 1, misses: 1}},
	} {
		if got := judge(tl, c.found, c.expect); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := about("seed template 4: attributes on (x) but (y) not"); got != "attributes on but not" {
		t.Errorf("about: %q", got)
	}
	for s, want := range map[score]string{{hits: 3}: "right", {wrong: 2, misses: 1}: "2 false positives, missed", {misses: 2}: "2 missed"} {
		if got := s.String(); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}
