package architecture

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var program = regexp.MustCompile("(?ms)^```go\n(package main\n.*?)^```")

// TestPrograms compiles the Go programs that the README shows.
func TestPrograms(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	programs := program.FindAllSubmatch(text, -1)
	if len(programs) == 0 {
		t.Fatal("the README shows no program")
	}
	for _, p := range programs {
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, p[1], 0o600); err != nil {
			t.Fatal(err)
		}
		vet := exec.CommandContext(t.Context(), "go", "vet", file)
		vet.Dir = filepath.Join(root, "pkg") // as a program that knows the library and nothing else of ours
		if out, err := vet.CombinedOutput(); err != nil {
			t.Errorf("the README's program: %v\n%s", err, out)
		}
	}
}
