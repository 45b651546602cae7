package rules

// LeftOut are known hazards for which there is no rule, by the id that one
// would have, each with the reason.
var LeftOut = map[string]string{
	"set-volatile-default": "ALTER COLUMN ... SET DEFAULT never touches a row that is there, whatever the default is: there is nothing to warn of.",
}
