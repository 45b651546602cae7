package rules

import "github.com/ddlsp/ddlsp/analysis"

// suppression-without-reason reports suppression comments that do not say why.
//
// A finding that is hidden without a word cannot be judged again later: whoever
// comes to the line does not know whether the table is small, the reader was
// careful, or nobody looked. The reason follows the names after a colon.
//
// # Bad: sql
//
//	-- ddlsp:ignore drop-table
//	DROP TABLE orders;
//
// # Good: sql
//
//	-- ddlsp:ignore drop-table: replaced by invoices in May, nothing reads it
//	DROP TABLE orders;
//
// # Bad: ecto
//
//	# ddlsp:ignore drop-column
//	alter table(:orders) do
//	  remove :note, :text
//	end
//
// # Exceptions
//
// The comments of other tools.
var suppressionWithoutReason = &analysis.Rule{
	ID:       "suppression-without-reason",
	Summary:  "a suppression comment gives no reason",
	Severity: analysis.Hint,
	Down:     true,
}
