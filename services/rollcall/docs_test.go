package rollcall_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/cli"
)

// TestDocumentedCommands holds the documents to the command line: each `rollcall …` that a reader may paste names a command
// that exists and flags that it has.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	found := 0
	for path, text := range documents(t) {
		for _, line := range commandLines(text) {
			found++
			if err := understood(line); err != nil {
				t.Errorf("%s: %q: %v", path, strings.Join(line, " "), err)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d commands found in the documents: do they still show any?", found)
	}
}

// TestCommandsOnPages holds the pages of the Control Center to the command line in the same way.
func TestCommandsOnPages(t *testing.T) {
	t.Parallel()
	templates, err := filepath.Glob("../control-center/internal/pages/templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range templates {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range onPage.FindAllStringSubmatch(string(text), -1) {
			found++
			line := words(hole.ReplaceAllString(code[1], "x"))
			if err := understood(line); err != nil {
				t.Errorf("%s: %q: %v", path, strings.Join(line, " "), err)
			}
		}
	}
	if found == 0 {
		t.Error("no command found on pages: do they still show any?")
	}
}

// TestDocumentedCommandsComplain shows the check what it must refuse.
func TestDocumentedCommandsComplain(t *testing.T) {
	t.Parallel()
	for text, valid := range map[string]bool{
		"`rollcall tenants list`":                                 true,
		"`rollcall tenants forget`":                               false,
		"```sh\nrollcall events --follow # all\n```":              true,
		"```sh\nbin/rollcall events --folow\n```":                 false,
		"```sh\nmake demo ARGS=\"--once --json\"\n```":            true,
		"```sh\nmake demo ARGS=\"--twice\"\n```":                  false,
		"```sh\n$ A=b rollcall serve \\\n    --check | cat\n```":  true,
		"```sh\n$ A=b rollcall serve \\\n    --chuck | cat\n```":  false,
		"```sh\ndocker compose exec rollcall rollcall frob\n```":  false,
		"```sh\ngo run ./services/rollcall/cmd/rollcall dem\n```": false,
	} {
		lines := commandLines(text)
		if len(lines) != 1 {
			t.Errorf("%q: want one command, got %q", text, lines)
			continue
		}
		if err := understood(lines[0]); (err == nil) != valid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// documents are the repository's README and all below docs.
func documents(t *testing.T) map[string]string {
	t.Helper()
	const root = "../.."
	texts := map[string]string{}
	read := func(path string) error {
		text, err := os.ReadFile(path)
		texts[filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))] = string(text)
		return err
	}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".md") {
			return err
		}
		return read(path)
	})
	if err == nil {
		err = read(filepath.Join(root, "README.md"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

var (
	block  = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```")
	inline = regexp.MustCompile("`(rollcall [^`]+)`")
	// start is what stands before the arguments of rollcall: a prompt, settings, and one of the ways to run it.
	start = regexp.MustCompile(`^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:(?:docker compose (?:--profile \S+ )?exec (?:-T )?rollcall )?(?:\./|bin/)?rollcall |go run \./services/rollcall/cmd/rollcall )`)
	// onPage is a command on a page, hole what a template fills in.
	onPage = regexp.MustCompile(`<code>rollcall ([^<]+)</code>`)
	hole   = regexp.MustCompile(`{{[^}]*}}`)
	// demo is how make hands flags to the demo.
	demo = regexp.MustCompile(`^(?:\$ )?make demo ARGS="([^"]*)"`)
)

// commandLines returns the arguments of each rollcall that a document shows, in blocks of code and in the text.
func commandLines(text string) (lines [][]string) {
	for _, code := range block.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(strings.ReplaceAll(code[1], "\\\n", " ")) {
			line = strings.TrimSpace(line)
			if at := start.FindString(line); at != "" {
				lines = append(lines, words(line[len(at):]))
			} else if flags := demo.FindStringSubmatch(line); flags != nil {
				lines = append(lines, words("demo "+flags[1]))
			}
		}
	}
	for _, code := range inline.FindAllStringSubmatch(block.ReplaceAllString(text, ""), -1) {
		lines = append(lines, words(strings.TrimPrefix(code[1], "rollcall ")))
	}
	return lines
}

// words are a command line's arguments, up to where the shell takes over.
func words(line string) []string {
	all := strings.Fields(line)
	end := slices.IndexFunc(all, func(w string) bool { return slices.Contains([]string{"#", "|", "&", "&&", ";", ">", "<"}, w) })
	if end >= 0 {
		all = all[:end]
	}
	return slices.DeleteFunc(all, func(w string) bool { return w == "…" || w == "..." })
}

// understood asks the command line's own help whether there is such a command, with such flags.
func understood(line []string) error {
	var command []string
	help, err := helpOf(command)
	for _, word := range line {
		if err != nil || !slices.Contains(subcommands(help), word) {
			break
		}
		command = append(command, word)
		help, err = helpOf(command)
	}
	if err != nil {
		return err
	}
	rest := line[len(command):]
	if len(subcommands(help)) > 0 && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("%q is no command of %q", rest[0], strings.Join(append([]string{"rollcall"}, command...), " "))
	}
	for _, word := range rest {
		flag, _, _ := strings.Cut(word, "=")
		if len(flag) > 1 && flag[0] == '-' && flag != "--help" && !regexp.MustCompile(`(?m)(^|[ ,])`+regexp.QuoteMeta(flag)+`([ ,=]|$)`).MatchString(flagsOf(help)) {
			return fmt.Errorf("%q has no flag %s", strings.Join(command, " "), flag)
		}
	}
	return nil
}

func helpOf(command []string) (string, error) {
	var out, errs bytes.Buffer
	err := cli.Run(context.Background(), append(slices.Clone(command), "--help"), func(string) string { return "" }, nil, &out, &errs)
	if err != nil {
		return "", fmt.Errorf("help of %q: %w: %s", command, err, errs.String())
	}
	return out.String(), nil
}

// subcommands are those that a help text lists.
func subcommands(help string) (names []string) {
	_, list, _ := strings.Cut(help, "\nAvailable Commands:\n")
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			break
		}
		names = append(names, fields[0])
	}
	return names
}

// flagsOf are the parts of a help text that list flags: examples name some too, and prove nothing.
func flagsOf(help string) string {
	_, flags, _ := strings.Cut(help, "\nFlags:\n")
	return flags
}
