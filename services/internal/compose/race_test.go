//go:build race

package compose

// raceFlag builds the programs as the test itself was built, so that what was compiled for it is used again.
var raceFlag = []string{"-race"}
