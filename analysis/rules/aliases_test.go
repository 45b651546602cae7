package rules_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis/rules"
)

var peerNames = map[string]struct {
	tool string
	name *regexp.Regexp
}{
	"SQ":  {"squawk", regexp.MustCompile(`\b[a-z]+(?:-[a-z]+)+\b`)},
	"PLS": {"pgls", regexp.MustCompile(`\b[a-z]+(?:[A-Z][a-z]+)+\b`)},
	"EM":  {"excellent_migrations", regexp.MustCompile(`\b[a-z]+(?:_[a-z]+)+\b`)},
	"EU":  {"eugene", regexp.MustCompile(`\b[EW][0-9]+\b`)},
	"AT":  {"atlas", regexp.MustCompile(`\b[A-Z]{2}[0-9]{3}\b`)},
	"PF":  {"pgfence", regexp.MustCompile(`\b[a-z]+(?:-[a-z]+)+\b`)},
}

// notNames are words of the catalogue that look like names and are none, and
// names that mean no hazard of ours.
var notNames = map[string]bool{
	"excellent_migrations/raw_sql_executed": true, // every execute, whatever it does
	"squawk/unused-ignore":                  true, // about its own comments
	"squawk/prefer-repack":                  true, // a rule for a server that is not out
	"pgfence/too-long":                      true, // the ends of names
	"pgfence/after-dangerous-statement":     true,
	"pgfence/prefer-robust":                 true,
	"eugene/E9":                             true, // every statement without a lock_timeout
}

// TestAliasCoverage: whatever name another tool has for a hazard of the
// catalogue, a comment with it is understood.
func TestAliasCoverage(t *testing.T) {
	data, err := os.ReadFile("../testdata/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ ID, Peers string }
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range rules.All() {
		for _, a := range r.Aliases {
			known[strings.ToLower(a)] = true
		}
	}
	checked := 0
	for _, row := range rows {
		if rules.ByID(row.ID) == nil {
			continue
		}
		for _, part := range strings.Split(row.Peers, ";") {
			tool, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
			peer, ok := peerNames[tool]
			if !ok {
				continue
			}
			if i := strings.IndexByte(rest, '('); i >= 0 {
				rest = rest[:i]
			}
			names := peer.name.FindAllString(rest, -1)
			if tool == "SQ" && strings.HasPrefix(rest+" ", "same ") {
				names = append(names, row.ID)
			}
			for _, name := range names {
				alias := strings.ToLower(peer.tool + "/" + name)
				checked++
				if !known[alias] && !notNames[peer.tool+"/"+name] {
					t.Errorf("%s: no rule answers to %s", row.ID, alias)
				}
			}
		}
	}
	if checked < 80 {
		t.Errorf("only %d names", checked)
	}
}
