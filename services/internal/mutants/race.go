//go:build race

package main

// raceFlag lets go list use what the race detector's tests have compiled already.
var raceFlag = []string{"-race"}
