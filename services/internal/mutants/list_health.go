package main

const (
	health  = "services/internal/receiver/health"
	channel = "services/internal/receiver/channel"
)

// ofHealth are faults of how it is told whether a directory is followed as it should be.
var ofHealth = []mutant{
	{"degraded", "one failure is enough", health + "/part.go", "case p.times < 2:", "case p.times < 1:", health},
	{"degraded", "a failure counts from the last one", health + "/part.go", "at, r := p.since.Add(w.cfg.Patience)", "at, r := p.last.Add(w.cfg.Patience)", health},
	{"degraded", "the provider is looked at again and again", health + "/step.go", "if rest := w.verified.Add(w.cfg.Patience); rest.After(now) {", "if rest := w.verified.Add(w.cfg.Patience); false {", health},
	{"degraded", "an address is told", health + "/step.go", `!strings.Contains(text, "@") && `, "", health},
	{"degraded", "the same is told again", worker + "/degraded.go", "case seen.Degraded() && (seen.Class != was.Class", "case seen.Degraded() && (true || seen.Class != was.Class", worker},
	{"degraded", "a late word counts", worker + "/degraded.go", "seen.Stamp.Compare(was.Stamp) <= 0", "false", worker},
	{"recovered", "one part that works is enough", health + "/part.go", "return len(w.parts) == 0 && w.whole && w.kept", "return w.whole && w.kept", health},
	{"recovered", "no whole round is waited for", health + "/health.go", "\t\tw.whole = false\n", "", health},
	{"recovered", "silence ends without a push", worker + "/degraded.go", " || unheard && was.Class == event.ClassSilent", "", worker},
	{"credential", "a threshold is passed over", health + "/credential.go", "var ahead = []int{1, 7, 30}", "var ahead = []int{1, 30}", health},
	{"credential", "what has ended is said to end", health + "/credential.go", "if !end.At.After(now) {", "if end.At.IsZero() {", health},
	{"credential", "its end is said daily at most", health + "/step.go", "!w.told() || !w.saidAt", "!w.saidAt", health},
	{"credential", "the same is told again", worker + "/credential.go", "!(same && seen.Days == was.Days)", "true", worker},
	{"credential", "a clock that is late tells it anew", worker + "/credential.go", " || seen.Days >= was.Days", "", worker},
	{"credential", "its end is forgotten when it has come", worker + "/credential.go", "(seen.Days == 0 || seen.Days >= was.Days)", "seen.Days >= was.Days", worker},
	{"credential", "another one ends nothing", worker + "/credential.go", "case was.Days > 0 && seen.Days == 0:", "case false:", worker},
	{"credential", "a late word counts", worker + "/credential.go", "seen.Stamp.Compare(was.Stamp) <= 0", "false", worker},
	{"silent", "changes are missed before their push can come", health + "/silence.go", "if !at.Add(l.grace).After(now) {", "if true || !at.Add(l.grace).After(now) {", health},
	{"silent", "channels are replaced again at once", health + "/silence.go", "if replace = !s.again.After(now); replace {", "if replace = true; replace {", health},
	{"quota", "duplicates stay", channel + "/keep.go", "ended, pruned := k.prune(ctx, known, held)\n", "ended, pruned := map[string]bool{}, error(nil)\n", channel},
	{"quota", "one channel too many leaves the others without", channel + "/keep.go", "case errors.Is(err, receiver.ErrQuota):\n\t\t\tover = errors.Join(over, err)\n", "", channel},
}
