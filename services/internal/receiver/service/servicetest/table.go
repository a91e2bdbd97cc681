package servicetest

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// document is docs/notifications.md, from the folder of a service.
const document = "../../docs/notifications.md"

// row is one of a table in the document.
type row struct {
	name          string
	answer, hints int
	counted       []string // result and reason that its items are counted under, where the row says so
}

var counted = regexp.MustCompile("(refused|ignored) as `([a-z-]+)`")

// Play runs every row of the table below a heading of docs/notifications.md, in its order, and compares the answers, how many
// hints came of each, and what it is counted as. A case runs one row, by its name, and returns the status; a row without a case is a fault, and so
// is a case without a row. In the row "NATS away" NATS is.
func (in *Intake) Play(heading string, cases map[string]func() int) {
	in.T.Helper()
	rows := in.table(heading)
	if len(rows) == 0 {
		in.T.Fatalf("%s has no table below %q", document, heading)
	}
	missing := map[string]bool{}
	for name := range cases {
		missing[name] = true
	}
	stored := 0
	for _, r := range rows {
		run, ok := cases[r.name]
		if !ok {
			in.T.Errorf("%s: no test runs it", r.name)
			continue
		}
		delete(missing, r.name)
		away := r.name == "NATS away"
		if away {
			in.NATS.Stop()
		}
		before := in.counted(r)
		if answer := run(); answer != r.answer {
			in.T.Errorf("%s: answer %d, the table says %d", r.name, answer, r.answer)
		}
		if r.counted != nil && in.counted(r) == before {
			in.T.Errorf("%s: it is not counted as %v", r.name, r.counted)
		}
		if away {
			in.NATS.Resume()
			in.Settle()
		}
		n := len(in.Hints())
		if n-stored != r.hints && !away { // what NATS was sent before it came back may have arrived since: a hint more does no harm
			in.T.Errorf("%s: %d hints, the table says %d", r.name, n-stored, r.hints)
		}
		stored = n
	}
	for name := range missing {
		in.T.Errorf("%s: not in the table", name)
	}
}

func (in *Intake) table(heading string) (rows []row) {
	in.T.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		in.T.Fatal(err)
	}
	_, below, _ := strings.Cut(string(text), "\n## "+heading+"\n")
	section, _, _ := strings.Cut(below, "\n## ")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 {
			continue
		}
		answer, err := strconv.Atoi(strings.TrimSpace(cells[2]))
		if err != nil {
			continue // the head
		}
		hints, err := strconv.Atoi(strings.TrimSpace(cells[3]))
		if err != nil {
			in.T.Errorf("row without a number of hints: %s", line)
		}
		r := row{name: strings.TrimSpace(cells[1]), answer: answer, hints: hints}
		if match := counted.FindStringSubmatch(cells[4]); match != nil {
			r.counted = match[1:]
		}
		rows = append(rows, r)
	}
	return rows
}

func (in *Intake) counted(r row) float64 {
	in.T.Helper()
	if r.counted == nil {
		return 0
	}
	return in.Counted(r.counted[0], r.counted[1])
}

// Counted is how many pushed items were counted under a result and a reason.
func (in *Intake) Counted(result, reason string) (n float64) {
	in.T.Helper()
	families, err := in.metrics.Gather()
	if err != nil {
		in.T.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "rollcall_notifications_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["result"] == result && labels["reason"] == reason {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
