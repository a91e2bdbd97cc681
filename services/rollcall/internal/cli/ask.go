package cli

import (
	"bufio"
	"fmt"
	"io/fs"
	"strings"
)

// isTerminal reports whether a person may be at the other end of a file.
func isTerminal(file any) bool {
	f, ok := file.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}

// asks reports whether there is anybody to ask.
func (a *app) asks() bool { return isTerminal(a.stdin) }

// ask puts a question to whoever sits at the terminal and returns the answer, which is empty where there is none.
func (a *app) ask(question string) string {
	_, _ = fmt.Fprint(a.stderr, question+" ")
	line, err := a.typed().ReadString('\n')
	if err != nil {
		_, _ = fmt.Fprintln(a.stderr)
	}
	return strings.TrimSpace(line)
}

// confirm asks for a yes.
func (a *app) confirm(question string) bool {
	answer := strings.ToLower(a.ask(question + " [y/N]"))
	return answer == "y" || answer == "yes"
}

// typed is one reader of what is typed for all questions: what it has read ahead belongs to the next.
func (a *app) typed() *bufio.Reader {
	if a.lines == nil {
		a.lines = bufio.NewReader(a.stdin)
	}
	return a.lines
}
