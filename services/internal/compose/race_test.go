//go:build race

package compose

import (
	"cmp"
	"os"
	"strings"
)

// raceFlag builds the programs as the test itself was built, so that what was compiled for it is used again: by RACE, where make test has
// set it.
var raceFlag = strings.Fields(cmp.Or(os.Getenv("RACE"), "-race"))
