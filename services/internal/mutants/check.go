package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
)

// check sees that each fault can be made: its text is there once, and what is broken compiles. It compiles nothing for that,
// but looks at the types of the package that the fault is in.
func check(ctx context.Context, root string, all []mutant) error {
	c, err := newChecker(ctx, root, all)
	if err != nil {
		return err
	}
	var faults []error
	for _, m := range all {
		if err := c.check(m); err != nil {
			faults = append(faults, fmt.Errorf("%s: %s: %w", m.Clause, m.Name, err))
		}
	}
	return errors.Join(faults...)
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Export     string
}

type checker struct {
	root     string
	packages map[string]listed // by folder
	types    types.Config
	files    *token.FileSet
	parsed   map[string]*ast.File
}

func newChecker(ctx context.Context, root string, all []mutant) (*checker, error) {
	var folders []string
	for _, m := range all {
		if path.Ext(m.File) == ".go" {
			folders = append(folders, "./"+path.Dir(m.File))
		}
	}
	c := &checker{root: root, packages: map[string]listed{}, files: token.NewFileSet(), parsed: map[string]*ast.File{}}
	if len(folders) == 0 {
		return c, nil
	}
	slices.Sort(folders)
	args := slices.Concat([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,GoFiles,Export"}, raceFlag, slices.Compact(folders))
	list := exec.CommandContext(ctx, "go", args...) //nolint:gosec // G204: the packages of our own list
	list.Dir = root
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.Bytes())
	}
	exports := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		c.packages[p.Dir], exports[p.ImportPath] = p, p.Export
	}
	c.types.Importer = importer.ForCompiler(c.files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	return c, nil
}

func (c *checker) check(m mutant) error {
	broken, text, err := m.broken(c.root)
	if err != nil {
		return err
	}
	if _, err := testFiles(filepath.Join(c.root, m.Tests)); err != nil || path.Ext(m.File) != ".go" {
		return err
	}
	p, found := c.packages[filepath.Dir(broken)]
	if !found || !slices.Contains(p.GoFiles, filepath.Base(broken)) {
		return fmt.Errorf("%s is no source of a package", m.File)
	}
	file, err := parser.ParseFile(c.files, broken, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	files := []*ast.File{file}
	for _, name := range p.GoFiles {
		at := filepath.Join(p.Dir, name)
		if at == broken {
			continue
		}
		if c.parsed[at] == nil {
			if c.parsed[at], err = parser.ParseFile(c.files, at, nil, parser.SkipObjectResolution); err != nil {
				return err
			}
		}
		files = append(files, c.parsed[at])
	}
	_, err = c.types.Check(p.ImportPath, c.files, files, nil)
	return err
}
