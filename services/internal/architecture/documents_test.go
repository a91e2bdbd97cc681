package architecture

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile("(?m)^#+ +(.+)$")
	fenced  = regexp.MustCompile("(?ms)^```.*?^```[^\n]*$")
	markup  = regexp.MustCompile("[^a-z0-9 _-]+")
)

// checkLinks: what a document of the repository points at in the repository is there, down to the heading.
// Documents are keyed by their path from the root; exists tells of any other file or folder.
func checkLinks(documents map[string]string, exists func(path string) bool) (faults []string) {
	for from, text := range documents {
		for _, match := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := from
			if target != "" {
				to = path.Join(path.Dir(from), target)
			}
			document, known := documents[to]
			switch {
			case !known && !exists(to):
				faults = append(faults, fmt.Sprintf("%s points at %s, which is not there", from, match[1]))
			case anchor != "" && known && !anchors(document)[anchor]:
				faults = append(faults, fmt.Sprintf("%s points at %s, and there is no such heading", from, match[1]))
			}
		}
	}
	return faults
}

// anchors are the names by which a document's headings can be linked to, as GitHub makes them.
func anchors(document string) map[string]bool {
	all := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(document, ""), -1) {
		name := markup.ReplaceAllString(strings.ToLower(strings.TrimSpace(match[1])), "")
		all[strings.ReplaceAll(name, " ", "-")] = true
	}
	return all
}

func TestLinks(t *testing.T) {
	t.Parallel()
	documents := map[string]string{}
	if err := walk(".", ".md", func(path string, text []byte) error {
		documents[path] = string(text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if documents["README.md"] == "" {
		t.Fatal("no README.md")
	}
	report(t, checkLinks(documents, func(path string) bool {
		_, err := os.Stat(filepath.Join(root, filepath.FromSlash(path)))
		return err == nil
	}))
}

func TestLinksComplain(t *testing.T) {
	t.Parallel()
	nothing := func(string) bool { return false }
	for text, want := range map[string]int{
		"[a](docs/gone.md)":                       1,
		"[a](docs/here.md)":                       0,
		"[a](docs/here.md#how-it-works)":          0,
		"[a](docs/here.md#how-it-worked)":         1,
		"[a](#nowhere)":                           1,
		"[a](https://example.com/x#y)":            0,
		"```sh\n[a](docs/gone.md)\n```\n":         0,
		"[a](docs/gone.md)\n\n```\n# no\n```\n":   1,
		"# Title: `x` & y\n\n[a](#title-x--y)":    0,
		"# Title\n\n```\n# No\n```\n\n[a](#no)\n": 1,
	} {
		documents := map[string]string{"README.md": text, "docs/here.md": "# Here\n\n## How it works\n"}
		if faults := checkLinks(documents, nothing); len(faults) != want {
			t.Errorf("%q: want %d faults, got %v", text, want, faults)
		}
	}
}
