package rules

// LeftOut are known hazards for which there is no rule, by the id that one
// would have, each with the reason.
var LeftOut = map[string]string{}
