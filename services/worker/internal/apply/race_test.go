//go:build race

package apply_test

// raced says that the race detector is at work, with which SQLite takes forty times as long.
const raced = true
