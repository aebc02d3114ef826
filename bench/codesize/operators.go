package codesize

import (
	"go/ast"
	"go/token"
	"io/fs"
	"strings"
)

// countOperators derives from a side's package what somebody who runs it has to know: which
// processes to keep alive, which topics and groups to watch, which directories to back up and
// which fields to set. Each is found by its shape in the code, the same on both sides.
func countOperators(fsys fs.FS, column, folder string) (map[string]int, error) {
	counted := map[string]int{
		"processes": 0, "topics": 0, "consumer_groups": 0, "directories": 0, "config_fields": 0,
	}
	files, err := sourceFiles(fsys, folder)
	if err != nil {
		return nil, err
	}
	directories := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		tree, _, err := parse(token.NewFileSet(), file, source, column)
		if err != nil {
			return nil, err
		}
		if tree == nil {
			continue
		}
		for _, decl := range tree.Decls {
			countDeclaration(counted, decl)
		}
		countCalls(counted, directories, tree)
	}
	counted["directories"] = len(directories)
	return counted, nil
}

func countDeclaration(counted map[string]int, decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if isProcess(d) {
			counted["processes"]++
		}
		if d.Recv == nil && isTopic(d.Name) {
			counted["topics"]++ // one per version
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				if d.Tok == token.CONST {
					counted["topics"] += count(s.Names, isTopic)
				}
			case *ast.TypeSpec:
				if s.Name.Name == "Config" {
					counted["config_fields"] += exportedFields(s)
				}
			}
		}
	}
}

// isTopic: ...Topic is the name of every topic's constant, or of the function that makes it.
func isTopic(name *ast.Ident) bool {
	return name.IsExported() && strings.HasSuffix(name.Name, "Topic")
}

// isProcess: what runs until its context ends is an exported function of a context (and a Config)
// that returns nothing but an error: Ingest(ctx, cfg), Serving.Run(ctx).
func isProcess(d *ast.FuncDecl) bool {
	params, results := types(d.Type.Params), types(d.Type.Results)
	if !d.Name.IsExported() || len(results) != 1 || results[0] != "error" {
		return false
	}
	if d.Recv != nil {
		return d.Name.Name == "Run" && len(params) == 1 && params[0] == "Context"
	}
	return len(params) >= 2 && params[0] == "Context" && params[1] == "Config"
}

// types lists the type of every parameter, without its package.
func types(fields *ast.FieldList) []string {
	if fields == nil {
		return nil
	}
	var list []string
	for _, field := range fields.List {
		name := ""
		switch t := field.Type.(type) {
		case *ast.Ident:
			name = t.Name
		case *ast.SelectorExpr:
			name = t.Sel.Name
		}
		for range max(1, len(field.Names)) {
			list = append(list, name)
		}
	}
	return list
}

func exportedFields(s *ast.TypeSpec) int {
	structure, ok := s.Type.(*ast.StructType)
	if !ok {
		return 0
	}
	counted := 0
	for _, field := range structure.Fields.List {
		counted += count(field.Names, (*ast.Ident).IsExported)
	}
	return counted
}

func count(names []*ast.Ident, is func(*ast.Ident) bool) int {
	counted := 0
	for _, name := range names {
		if is(name) {
			counted++
		}
	}
	return counted
}

// countCalls: a consumer group is where a group is joined, a directory is a name that is joined
// to the configured Dir.
func countCalls(counted map[string]int, directories map[string]bool, tree *ast.File) {
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		called, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch called.Sel.Name {
		case "RunGroup":
			counted["consumer_groups"]++
		case "Join":
			if name, ok := joinedToDir(call); ok {
				directories[name] = true
			}
		}
		return true
	})
}

func joinedToDir(call *ast.CallExpr) (string, bool) {
	if len(call.Args) < 2 {
		return "", false
	}
	dir, isField := call.Args[0].(*ast.SelectorExpr)
	name, isLiteral := call.Args[1].(*ast.BasicLit)
	if !isField || !isLiteral || dir.Sel.Name != "Dir" {
		return "", false
	}
	return name.Value, true
}
