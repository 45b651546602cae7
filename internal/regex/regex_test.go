package regex

import (
	"slices"
	"sync"
	"testing"
)

// TestLazy: an expression is compiled when it is used, by many at once too, and
// answers as a compiled one does.
func TestLazy(t *testing.T) {
	r := &Regexp{expr: `(a+)(?P<rest>b*)`}
	if r.re != nil || r.String() != `(a+)(?P<rest>b*)` {
		t.Fatal("compiled before it was used")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := r.FindStringSubmatch("xaabb"); !slices.Equal(got, []string{"aabb", "aa", "bb"}) {
				t.Errorf("got %q", got)
			}
		})
	}
	wg.Wait()
	if r.SubexpIndex("rest") != 2 || r.ReplaceAllString("ab aab", "<$1>") != "<a> <aa>" || r.ReplaceAllLiteralString("ab", "$1") != "$1" {
		t.Error("the expression answers otherwise")
	}
}

// TestWrong: tests find a wrong expression without using it.
func TestWrong(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	MustCompile(`(`)
}
