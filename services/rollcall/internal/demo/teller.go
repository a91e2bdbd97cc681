package demo

import (
	"fmt"
	"io"
	"strings"
)

// teller writes the story for a person: a line for each step, with the time it took.
type teller struct {
	out io.Writer
	n   *int
}

func newTeller(out io.Writer) teller { return teller{out: out, n: new(int)} }

// width is where the times stand.
const width = 100

func (t teller) step(text string, s Step) {
	*t.n++
	took := seconds(s.LatencyMS)
	if s.Measured == fromChange {
		took += " (from the change)"
	}
	lines := wrap(text, width-6)
	for i, line := range lines {
		number, end := "    ", ""
		if i == 0 {
			number = fmt.Sprintf("%3d ", *t.n)
		}
		if i == len(lines)-1 {
			end = took
		}
		_, _ = fmt.Fprintf(t.out, "%s %s\n", number, strings.TrimRight(fmt.Sprintf("%-*s %9s", width-6, line, end), " "))
	}
}

// aside tells what is no step.
func (t teller) aside(text string) {
	for _, line := range wrap(text, width-6) {
		_, _ = fmt.Fprintf(t.out, "     %s\n", line)
	}
}

// say prints text as it stands.
func (t teller) say(format string, args ...any) { _, _ = fmt.Fprintf(t.out, format+"\n", args...) }

// seconds writes milliseconds as a person reads them.
func seconds(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
}

func wrap(text string, at int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > at {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
