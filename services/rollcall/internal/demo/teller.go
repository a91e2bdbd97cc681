package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// teller writes the story for a person: a line for each step and a column for each company, with what came of the step
// there and the time that it took.
type teller struct {
	out io.Writer
	mu  *sync.Mutex // stories run side by side
	n   *int
}

func newTeller(out io.Writer) teller { return teller{out: out, mu: &sync.Mutex{}, n: new(int)} }

// cell is what is told of a step in one company: in its column and, where there is more to tell, below the line.
type cell struct{ what, took, more string }

// How wide the parts of a line are, in characters.
const (
	textWidth = 60
	whatWidth = 13
	tookWidth = 9
)

// cell tells a step in a few words.
func (s Step) cell() cell {
	c := cell{took: seconds(s.LatencyMS)}
	if s.Measured == fromChange {
		c.took += "*"
	}
	switch {
	case s.EventType == event.TypeHeldOpened:
		c.what = fmt.Sprintf("%d held", s.Held.Grants+s.Held.Revocations)
	case s.EventType == event.TypeHeldClosed:
		c.what = "withdrawn"
	case s.Measured == fromStart:
		c.what = fmt.Sprintf("%d licensed", s.Granted)
	case s.Granted > 0:
		c.what = fmt.Sprintf("%d granted", s.Granted)
	case s.Revoked > 0:
		c.what = fmt.Sprintf("%d revoked", s.Revoked)
	case s.EventType == event.TypeLicenseGranted:
		c.what = "granted"
	case s.EventType == event.TypeLicenseRevoked:
		c.what = "revoked"
	default:
		c.what = "no event"
	}
	return c
}

// head names the columns.
func (t teller) head(stories []*story) {
	var names strings.Builder
	for _, s := range stories {
		_, _ = fmt.Fprintf(&names, "  %-*s", whatWidth+tookWidth, s.company.id+" ("+s.company.label+")")
	}
	t.say("%*s%s", textWidth+4, "", strings.TrimRight(names.String(), " "))
}

// row tells one step.
func (t teller) row(text string, cells []cell) {
	*t.n++
	var told strings.Builder
	for _, c := range cells {
		_, _ = fmt.Fprintf(&told, "  %-*s%*s", whatWidth, c.what, tookWidth, c.took)
	}
	number := fmt.Sprintf("%3d ", *t.n)
	lines := wrap(text, textWidth)
	for _, line := range lines[:len(lines)-1] {
		t.say("%s%s", number, line)
		number = "    "
	}
	t.say("%s%-*s%s", number, textWidth, lines[len(lines)-1], told.String())
	for _, c := range cells {
		if c.more != "" {
			t.aside(c.more)
		}
	}
}

// aside tells what is no step.
func (t teller) aside(text string) {
	for _, line := range wrap(text, textWidth+2*(whatWidth+tookWidth)) {
		t.say("    %s", line)
	}
}

// say prints text as it stands.
func (t teller) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(t.out, format+"\n", args...)
}

// seconds writes milliseconds as a person reads them.
func seconds(ms float64) string {
	switch {
	case ms < 9.95: // the others are rounded to 10 and more
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
