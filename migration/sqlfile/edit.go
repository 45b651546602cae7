package sqlfile

// An editor writes changes in SQL files.
type editor struct{}
