package architecture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	root = "../../.." // of the repository, from this package

	home     = "github.com/rollcall-hq/rollcall/"
	schemas  = home + "schemas"
	pkg      = home + "pkg"
	services = home + "services"
)

// listed is what `go list` says of one package. Imports are of production code, the other two of its tests.
type listed struct {
	ImportPath   string
	Name         string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// tests are what the tests of p import, in the package and beside it.
func (p listed) tests() []string { return slices.Concat(p.TestImports, p.XTestImports) }

// within reports whether an import path is root or lies below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// standard reports whether an import path is of the standard library: its first element is no domain.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// packages lists the packages of the three modules, once for all tests.
var packages = sync.OnceValues(func() ([]listed, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Name,Imports,TestImports,XTestImports", "work")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=") // the workspace, whatever the caller is in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.Bytes())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		all = append(all, p)
	}
})

// source is one Go file of the repository, parsed. Path is relative to the root, with slashes.
type source struct {
	Path  string
	Lines int
	File  *ast.File
}

func (s source) test() bool { return strings.HasSuffix(s.Path, "_test.go") }

// generated reports whether a generator has written the file: it is named so, and says so.
func (s source) generated() bool {
	return strings.HasSuffix(s.Path, ".gen.go") && ast.IsGenerated(s.File)
}

// parse reads one file; what it holds is given where it is not on disk.
func parse(path string, text []byte) (source, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, fmt.Errorf("parse %s: %w", path, err)
	}
	return source{Path: path, Lines: bytes.Count(text, []byte("\n")), File: file}, nil
}

// sources parses every Go file of the three modules, once for all tests.
var sources = sync.OnceValues(func() ([]source, error) {
	var all []source
	for _, module := range []string{"schemas", "pkg", "services"} {
		err := walk(module, ".go", func(path string, text []byte) error {
			s, err := parse(path, text)
			all = append(all, s)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
})

// walk calls do with every file below a folder of the repository whose name ends in suffix.
func walk(folder, suffix string, do func(path string, text []byte) error) error {
	return filepath.WalkDir(filepath.Join(root, folder), func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "bin", "node_modules", "testdata", "rollcall-data"}, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, suffix):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return do(filepath.ToSlash(short), text)
	})
}

// must returns what load loads, and ends the test when it cannot.
func must[T any](t *testing.T, load func() (T, error)) T {
	t.Helper()
	v, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// report fails the test with each fault.
func report(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
}
