package lambdakappa

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A row says what one package may import. What it does not name, it may not.
type row struct {
	pkg    string
	within string // packages of this module
	beyond string // modules of others
	tests  string // packages of this module, only in tests; other modules are free there
	pure   bool   // no goroutines, no I/O, no clock
}

// oneSide is what Lambda may import and what Kappa may import: the same, so that neither gets a
// tool that the other was not offered.
const (
	oneSideWithin = "event view internal/eventlog internal/httpapi internal/proc"
	oneSideTests  = "datagen bench/oracle internal/eventlog/logtest"
	oneSideBeyond = "github.com/apache/arrow/go/v15 github.com/parquet-go/parquet-go golang.org/x/sync"
)

// layout is who may import whom. The two sides never meet; the truth never looks at them; the
// benchmark knows them only from outside, as processes, and cmd is the only one that knows all.
var layout = []row{
	{pkg: "event", beyond: "github.com/twmb/avro", pure: true},
	{pkg: "view", within: "event", pure: true},
	{pkg: "datagen", within: "event", beyond: "github.com/parquet-go/parquet-go", pure: true},

	{pkg: "lambda", within: oneSideWithin, beyond: oneSideBeyond, tests: oneSideTests},
	{pkg: "kappa", within: oneSideWithin, beyond: oneSideBeyond, tests: oneSideTests},

	{
		pkg: "internal/eventlog", within: "event", tests: "internal/eventlog/logtest internal/proc",
		beyond: "github.com/segmentio/kafka-go github.com/twmb/franz-go github.com/twmb/franz-go/pkg/kadm " +
			"github.com/twmb/franz-go/pkg/kfake github.com/twmb/franz-go/pkg/kmsg " +
			"github.com/twmb/franz-go/pkg/sr golang.org/x/sys",
	},
	{
		// For tests alone.
		pkg: "internal/eventlog/logtest", within: "internal/eventlog", beyond: "github.com/stretchr/testify",
	},
	{
		pkg: "internal/httpapi", within: "event view",
		beyond: "github.com/apache/arrow/go/v15 github.com/prometheus/client_golang",
	},
	{
		// What becomes of the events that either side's 'events' finds.
		pkg: "internal/eventout", within: "event",
		beyond: "github.com/apache/arrow/go/v15 github.com/parquet-go/parquet-go",
		tests:  "datagen",
	},
	{
		// The batch application behind both sides: what an organisation has once.
		pkg: "internal/fleetreport", within: "view",
		beyond: "github.com/parquet-go/parquet-go golang.org/x/sync",
		tests:  "bench datagen event internal/eventlog kappa lambda",
	},
	{pkg: "internal/web"},
	{pkg: "internal/webtest", beyond: "github.com/chromedp/cdproto github.com/chromedp/chromedp github.com/stretchr/testify"},
	{pkg: "internal/redrive", within: "event internal/eventlog"},
	{pkg: "internal/proc", beyond: "github.com/shirou/gopsutil/v4 golang.org/x/sys"},

	{pkg: "bench/oracle", within: "event view", pure: true},
	{pkg: "bench/accuracy", within: "bench/oracle view", tests: "event", pure: true},
	{pkg: "bench/witness", within: "bench/oracle event internal/eventlog"},
	{pkg: "bench/fault"},
	{
		pkg: "bench/cluster", within: "internal/eventlog internal/proc", tests: "internal/eventlog/logtest",
		beyond: "github.com/shirou/gopsutil/v4 golang.org/x/sync",
	},
	{pkg: "bench/result", within: "view"},
	{pkg: "bench/supervise", within: "internal/proc"},
	{pkg: "bench/codesize", within: "bench/result", beyond: "github.com/uudashr/gocognit"},
	{
		pkg: "bench/report", within: "bench/codesize bench/decide bench/ledger bench/result internal/web view", tests: "bench/scenarios internal/webtest",
		beyond: "github.com/dustin/go-humanize",
	},
	{
		pkg:    "bench/live",
		within: "bench/oracle bench/supervise bench/witness datagen event internal/eventlog internal/httpapi internal/proc internal/web view",
		tests:  "internal/webtest", beyond: "golang.org/x/sync",
	},
	{pkg: "bench/decide", within: "bench/ledger bench/result", beyond: "github.com/dustin/go-humanize"},
	{pkg: "results", tests: "bench/report"},
	{pkg: "docs/workshop"},
	{
		pkg:    "bench/workshop",
		within: "bench/codesize bench/ledger bench/report bench/result bench/scenarios docs/workshop", tests: "view",
		beyond: "github.com/dustin/go-humanize github.com/goccy/go-yaml",
	},
	{pkg: "bench/ledger", within: "bench/result bench/scenarios view", beyond: "github.com/aclements/go-moremath github.com/dustin/go-humanize golang.org/x/perf gonum.org/v1/gonum"},
	{pkg: "bench/scenarios", within: "datagen", beyond: "github.com/goccy/go-yaml"},
	{
		pkg: "bench",
		within: "bench/accuracy bench/cluster bench/codesize bench/fault bench/ledger bench/oracle bench/report bench/result bench/scenarios bench/supervise bench/witness datagen event view " +
			"internal/eventlog internal/httpapi internal/proc results",
		tests: "internal/eventlog/logtest",
		beyond: "github.com/HdrHistogram/hdrhistogram-go github.com/parquet-go/parquet-go " +
			"github.com/schollz/progressbar/v3 github.com/shirou/gopsutil/v4 golang.org/x/sync " +
			"golang.org/x/term",
	},
	{pkg: "bench/doctor", within: "bench internal/proc", beyond: "github.com/dustin/go-humanize"},
	{
		pkg: "bench/systemtest",
		tests: "bench/oracle datagen event view internal/eventlog internal/eventlog/logtest internal/eventout internal/httpapi " +
			"internal/proc internal/redrive lambda kappa",
	},
	{
		pkg: "cmd/lambdakappa",
		within: "bench bench/cluster bench/decide bench/doctor bench/live bench/report bench/result bench/scenarios bench/supervise bench/workshop datagen event lambda kappa internal/eventlog " +
			"internal/eventout internal/fleetreport internal/httpapi internal/redrive internal/proc results view",
		beyond: "github.com/magiconair/properties github.com/spf13/cobra github.com/spf13/pflag golang.org/x/sync",
	},
	{pkg: "cmd/workshop-kit"},
	{pkg: "."},
}

// impure are the parts of the standard library that a pure package must not touch. An empty name
// is the whole package, with what is below it.
var impure = []struct{ pkg, name string }{
	{"os", ""},
	{"net", ""},
	{"syscall", ""},
	{"log", ""},
	{"sync", ""},
	{"context", ""},
	{"crypto/rand", ""},
	{"math/rand", ""},
	{"time", "Now"},
	{"time", "Since"},
	{"time", "Until"},
	{"time", "Sleep"},
	{"time", "After"},
	{"time", "AfterFunc"},
	{"time", "Tick"},
	{"time", "NewTicker"},
	{"time", "NewTimer"},
	{"time", "Local"},
	{"runtime", ""},
}

const module = "lambdakappa/"

// source is one Go file.
type source struct {
	pkg  string // its folder, with slashes
	file string
	test bool
	ast  *ast.File
}

func TestPackagesImportOnlyWhatTheLayoutSays(t *testing.T) {
	for _, s := range sources(t) {
		r := rowOf(s.pkg)
		if r == nil {
			t.Errorf("%s: package %s has no row in the layout: add one, and say why", s.file, s.pkg)
			continue
		}
		for _, imported := range imports(t, s) {
			if !r.allows(imported, s.test) {
				t.Errorf("%s: %s must not import %s", s.file, s.pkg, imported)
			}
		}
	}
}

func TestTheTwoSidesAreOfferedTheSame(t *testing.T) {
	lambda, kappa := *rowOf("lambda"), *rowOf("kappa")
	lambda.pkg, kappa.pkg = "", ""
	if lambda != kappa {
		t.Errorf("lambda may import %+v, kappa %+v", lambda, kappa)
	}
	for _, forbidden := range []string{"lambda", "kappa", "bench", "cmd/lambdakappa"} {
		if slices.Contains(strings.Fields(lambda.within+" "+lambda.tests), forbidden) {
			t.Errorf("a side must not import %s", forbidden)
		}
	}
}

func TestPurePackagesHaveNoGoroutineNoInputOutputAndNoClock(t *testing.T) {
	for _, s := range sources(t) {
		if r := rowOf(s.pkg); r != nil && r.pure && !s.test {
			for _, impurity := range impurities(t, s) {
				t.Errorf("%s: %s is pure, and this is not: %s", s.file, s.pkg, impurity)
			}
		}
	}
}

// Ensure that a row is not left behind when its package goes.
func TestEveryRowHasItsPackage(t *testing.T) {
	found := map[string]bool{}
	for _, s := range sources(t) {
		found[s.pkg] = true
	}
	for _, r := range layout {
		if !found[r.pkg] {
			t.Errorf("the layout has a row for %s, which does not exist", r.pkg)
		}
	}
}

// Ensure that the test itself sees what it is there to see.
func TestImpuritiesAreFound(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		text := "package p\nimport (\n\"os\"\nclock \"time\"\n\"math/rand/v2\"\n)\nfunc f() {" + body + "}"
		parsed, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := impurities(t, source{file: "p.go", ast: parsed})
		if !slices.Contains(got, want) {
			t.Errorf("%s: found %v, not %q", body, got, want)
		}
	}
	f("", "os")
	f("", "math/rand/v2")
	f("go f()", "a go statement")
	f("_ = clock.Now()", "time.Now")
	f("x := clock.Since; _ = x", "time.Since")
}

func (r *row) allows(imported string, test bool) bool {
	if inside, ok := strings.CutPrefix(imported, module); ok {
		allowed := strings.Fields(r.within)
		if test {
			allowed = append(allowed, append(strings.Fields(r.tests), r.pkg)...)
		}
		return slices.Contains(allowed, inside)
	}
	first, _, _ := strings.Cut(imported, "/")
	if test || !strings.Contains(first, ".") {
		return true // a test, or the standard library
	}
	isBelow := func(m string) bool { return below(imported, m) }
	return slices.ContainsFunc(strings.Fields(r.beyond), isBelow)
}

// below reports whether a package is root or lies below it.
func below(pkg, root string) bool { return pkg == root || strings.HasPrefix(pkg, root+"/") }

func rowOf(pkg string) *row {
	for i := range layout {
		if layout[i].pkg == pkg {
			return &layout[i]
		}
	}
	return nil
}

// sources parses all Go files of the module, whatever system they are for.
func sources(t *testing.T) []source {
	var all []source
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(file)
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		all = append(all, source{
			pkg:  path.Dir(filepath.ToSlash(file)),
			file: file,
			test: strings.HasSuffix(file, "_test.go"),
			ast:  parsed,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// skip skips what go skips, and modules of their own.
func skip(dir string) error {
	name := filepath.Base(dir)
	if dir == "." {
		return nil
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	if err == nil || name == "testdata" || name[0] == '.' || name[0] == '_' {
		return filepath.SkipDir
	}
	return nil
}

func imports(t *testing.T, s source) []string {
	var all []string
	for _, i := range s.ast.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", s.file, err)
		}
		all = append(all, imported)
	}
	return all
}

// impurities lists what a file does that a pure package must not.
func impurities(t *testing.T, s source) []string {
	var found []string
	names := map[string]string{} // of imported packages in this file
	for i, imported := range imports(t, s) {
		name := path.Base(imported)
		if alias := s.ast.Imports[i].Name; alias != nil {
			name = alias.Name
		}
		names[name] = imported
		for _, x := range impure {
			if x.name == "" && below(imported, x.pkg) {
				found = append(found, imported)
			}
		}
	}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, "a go statement")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && isImpure(names[x.Name], n.Sel.Name) {
				found = append(found, names[x.Name]+"."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}

func isImpure(pkg, name string) bool {
	return slices.ContainsFunc(impure, func(x struct{ pkg, name string }) bool {
		return x.name != "" && x.pkg == pkg && x.name == name
	})
}
