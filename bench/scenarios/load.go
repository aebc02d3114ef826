package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A flaw is what is wrong with a field, by its path within the file: "workload.rate".
type flaw struct{ path, says string }

func problem(path, format string, args ...any) *flaw {
	return &flaw{path, fmt.Sprintf(format, args...)}
}

// under puts the flaw below another path.
func (f *flaw) under(path string) *flaw {
	if f == nil {
		return nil
	}
	return &flaw{strings.Trim(path+"."+f.path, "."), f.says}
}

// Load reads a scenario from a file of the user's.
func Load(path string) (*Scenario, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return Parse(path, raw)
}

// Parse reads and checks a scenario. Errors begin with the file and the line, and name the field.
func Parse(file string, raw []byte) (*Scenario, error) {
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, located(file, nil, err)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, &Error{File: file, Says: "holds no scenario, or several documents: takes one"}
	}
	s := &Scenario{file: file}
	if err := yaml.UnmarshalWithOptions(raw, s, yaml.Strict()); err != nil {
		return nil, located(file, tree.Docs[0].Body, err)
	}
	if f := s.validate(); f != nil {
		return nil, &Error{File: file, Line: lineOf(tree, f.path), Field: f.path, Says: f.says}
	}
	return s, nil
}

// An Error says what is wrong with a scenario, and where.
type Error struct {
	File  string
	Line  int // from 1; 0 when the field is not there
	Field string
	Says  string
}

func (e *Error) Error() string {
	at := e.File
	if e.Line > 0 {
		at += ":" + strconv.Itoa(e.Line)
	}
	if e.Field != "" {
		at += ": " + e.Field
	}
	return at + ": " + e.Says
}

// located turns an error of the YAML library into one of ours.
func located(file string, tree ast.Node, err error) error {
	var at yaml.Error
	var kind *yaml.TypeError
	switch {
	case !errors.As(err, &at): // what a parser of the standard library says of a value
		found := findValue(tree, func(v *ast.StringNode) bool {
			return strings.Contains(err.Error(), strconv.Quote(v.Value))
		})
		return &Error{File: file, Line: found.line, Field: found.key, Says: err.Error()}
	case errors.As(err, &kind) && kind.Token != nil:
		found := findValue(tree, func(v *ast.StringNode) bool {
			return v.GetToken().Position.Offset == kind.Token.Position.Offset
		})
		return &Error{
			File: file, Line: kind.Token.Position.Line, Field: found.key,
			Says: fmt.Sprintf("%q: takes %s", kind.Token.Value, kindWords(kind.DstType.Kind())),
		}
	}
	e := &Error{File: file, Says: at.GetMessage()}
	if t := at.GetToken(); t != nil {
		e.Line = t.Position.Line
		if path := strings.TrimPrefix(t.Value, "$."); strings.Contains(e.Says, "unknown field") {
			e.Field = path
		}
	}
	return e
}

// kindWords say what a field of that kind takes.
func kindWords(kind reflect.Kind) string {
	switch kind {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "a list"
	default:
		return "fields with values"
	}
}

// A valueFinder looks for a text under a key.
type valueFinder struct {
	isIt func(*ast.StringNode) bool
	key  string
	line int // 0 before it was found
}

// findValue finds the first text that is the one, with its key and line; nothing where there is none.
func findValue(tree ast.Node, isIt func(*ast.StringNode) bool) *valueFinder {
	f := &valueFinder{isIt: isIt}
	if tree != nil {
		ast.Walk(f, tree)
	}
	return f
}

// Visit implements [ast.Visitor].
func (f *valueFinder) Visit(node ast.Node) ast.Visitor {
	pair, ok := node.(*ast.MappingValueNode)
	if !ok || f.line > 0 {
		return f
	}
	if text, ok := pair.Value.(*ast.StringNode); ok && f.isIt(text) {
		f.key, f.line = pair.Key.GetToken().Value, text.GetToken().Position.Line
	}
	return f
}

// lineOf finds the line of a field, or of the nearest that is around it and is there.
func lineOf(tree *ast.File, path string) int {
	for path != "" {
		if p, err := yaml.PathString("$." + path); err == nil {
			if node, err := p.FilterFile(tree); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return 0
}

// Decode reads settings of a procedure, the scenario's own and then the profile's over them, into a
// struct. Unknown keys are errors with file and line.
func (s *Scenario) Decode(profile string, into any) error {
	for _, node := range []ast.Node{s.With, s.Profiles[profile].With} {
		if node == nil {
			continue
		}
		if err := yaml.NodeToValue(node, into, yaml.Strict()); err != nil {
			return located(s.file, node, err)
		}
	}
	return nil
}

// fieldOf is the field that an error of a Validate function begins with.
func fieldOf(err error) string {
	word, _, _ := strings.Cut(err.Error(), " ")
	return word
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

// nameOf is the name that a file gives its scenario.
func nameOf(file string) string {
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}
