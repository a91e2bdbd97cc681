//go:build race

package main

import (
	"cmp"
	"os"
	"strings"
)

// raceFlag lets go list use what the race detector's tests have compiled already, by RACE, where make test has set it.
var raceFlag = strings.Fields(cmp.Or(os.Getenv("RACE"), "-race"))
