//go:build !race

package compose

var raceFlag []string
