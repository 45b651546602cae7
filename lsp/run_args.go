package lsp

// runArgs is the argument of the commands that change a database.
type runArgs struct {
	// URI selects the project and the repo, nothing else.
	URI         string `json:"uri,omitempty"`
	To          string `json:"to,omitempty"`
	ToExclusive string `json:"toExclusive,omitempty"`
	Step        int    `json:"step,omitempty"`
	All         bool   `json:"all,omitempty"`
	Database    string `json:"database,omitempty"`
	Prefix      string `json:"prefix,omitempty"`
	DryRun      bool   `json:"dryRun,omitempty"`
	// Plan is the hash of the plan that the user said yes to.
	Plan string `json:"plan,omitempty"`
	// Confirm is the name of a protected database, as the user typed it.
	Confirm string `json:"confirm,omitempty"`
}
