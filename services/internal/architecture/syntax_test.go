package architecture

import (
	"go/ast"
	"strings"
)

// imports returns the name by which a file knows a package, or "".
func imports(file *ast.File, path string) string {
	for _, spec := range file.Imports {
		if strings.Trim(spec.Path.Value, `"`) != path {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	return ""
}

// uses returns the places where a file names something of a package, under whatever name it imports it.
func uses(file *ast.File, path, name string) (found []ast.Node) {
	local := imports(file, path)
	if local == "" {
		return nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if names(n, local, name) {
			found = append(found, n)
		}
		return true
	})
	return found
}

// literals returns the places where a file writes down a value, not the zero one, of a package's type.
func literals(file *ast.File, path, name string) (found []ast.Node) {
	local := imports(file, path)
	if local == "" {
		return nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if value, ok := n.(*ast.CompositeLit); ok && len(value.Elts) > 0 && names(value.Type, local, name) {
			found = append(found, n)
		}
		return true
	})
	return found
}

// names reports whether a node is local.name.
func names(n ast.Node, local, name string) bool {
	selector, ok := n.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != name {
		return false
	}
	x, ok := selector.X.(*ast.Ident)
	return ok && x.Name == local
}
