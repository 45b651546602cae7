package analysis

import "github.com/ddlsp/ddlsp/migration"

// A Rule is one hazard: data that describes it and pure functions that find
// it. The functions must not keep state between calls and must not change what
// they are given; they may run at the same time for different migrations.
type Rule struct {
	// ID is the name that configuration, output and comments use. It never
	// changes.
	ID string
	// Summary says in one line what the rule reports.
	Summary string
	// Severity is that of its findings when configuration says nothing, and
	// Default whether it is on then.
	Severity Severity
	Default  bool
	// Fix says what kind of fix it may offer.
	Fix FixKind
	// Aliases are the names of the same hazard in other tools, as
	// "squawk/ban-drop-column".
	Aliases []string
	// Down: the rule judges the down direction too. Other rules judge up only.
	Down bool
	// On are the operations that Op wants to see, as nil pointers of their
	// types.
	On []migration.Op
	// Op is called for every wanted operation in order, those inside DO blocks
	// included.
	Op func(*Pass, *Step)
	// Body is called once for each direction that the rule judges, after its
	// operations.
	Body func(*Pass)
	// Migration is called once, after both directions, with the pass of up;
	// Pass.Other is that of down.
	Migration func(*Pass)
}

// A FixKind says whether a rule offers fixes.
type FixKind int

const (
	NoFix FixKind = iota
	// UnsafeFix: the fix may change more than the finding is about.
	UnsafeFix
	// SafeFix: at least one fix may be applied without being looked at.
	SafeFix
)

// String is the word that the rule's page uses.
func (k FixKind) String() string { return [...]string{"none", "unsafe", "safe"}[k] }
