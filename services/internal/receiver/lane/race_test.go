//go:build race

package lane

// raced says that the race detector is at work, with which a property takes ten times as long.
const raced = true
