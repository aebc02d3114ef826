package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
	"lambdakappa/bench/scenarios"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// The hand-made summaries of testdata: each is there for one thing that a report must get right.
var fixtures = []string{
	"right", "wrong", "mistaken", "void", "interrupted", "missing", "repeated", "hostile",
}

// shown are the scenarios that the hand-made summaries speak of: the ledger grows, they do not.
var shown = []string{"settled", "disturbed", "freshness", "replay", "always-on", "code", "model"}

func fixture(t *testing.T, name string) *result.Summary {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	s := new(result.Summary)
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(s))
	for _, q := range scenarios.Builtin() {
		if slices.Contains(shown, q.Name) {
			s.Scenarios = append(s.Scenarios, ledger.Judge(q, s))
		}
	}
	return s
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *rewrite {
		require.NoError(t, writeFile(path, got))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test ./bench/report -rewrite and read the difference")
	require.Equal(t, string(want), string(got), "%s; after a wanted change run go test ./bench/report -rewrite", path)
}

// Ensure that a report says the same as when somebody last read it. The page is compared without
// uPlot and the style, which are files of their own.
func TestGolden(t *testing.T) {
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			p := newPage(fixture(t, name), nil)
			html, err := renderHTML(p, assetSet{})
			require.NoError(t, err)
			golden(t, name+".html", html)
			golden(t, name+".md", renderMarkdown(p))
			var terminal bytes.Buffer
			Terminal(&terminal, fixture(t, name))
			golden(t, name+".txt", terminal.Bytes())
		})
	}
}

// Ensure that Write leaves the files that it promises, and that Load reads what Write was given.
func TestWriteThenLoad(t *testing.T) {
	dir := t.TempDir()
	s := fixture(t, "right")
	raw, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, summaryFile), raw, 0o644))
	require.NoError(t, Write(dir, s, nil))
	loaded, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, s, loaded)

	requireLinksResolve(t, dir)
	for _, p := range newPage(s, nil).plots() {
		svg, err := os.ReadFile(filepath.Join(dir, p.file()))
		require.NoError(t, err)
		requireXML(t, string(svg))
	}
	html, err := os.ReadFile(filepath.Join(dir, "report.html"))
	require.NoError(t, err)
	require.True(t, bytes.Contains(html, []byte("leeoniya/uPlot (v1.6.32)")), "uPlot and its notice inside")
	require.Less(t, len(html), 1<<20, "a page that a mail can carry")
}

// requireLinksResolve demands that every picture of report.md in dir is there, and that there are some.
func requireLinksResolve(t *testing.T, dir string) {
	t.Helper()
	markdown, err := os.ReadFile(filepath.Join(dir, "report.md"))
	require.NoError(t, err)
	links := regexp.MustCompile(`!\[[^\]]*\]\(([^)]*)\)`).FindAllStringSubmatch(string(markdown), -1)
	require.NotEmpty(t, links)
	for _, link := range links {
		require.FileExists(t, filepath.Join(dir, filepath.FromSlash(link[1])))
	}
}

// Ensure that results/latest leads to the run it names where it is a file and no link, and that no other file leads anywhere.
func TestLatestIsAFileWhereThereAreNoLinks(t *testing.T) {
	out := t.TempDir()
	run := filepath.Join(out, "20261130T120000Z-settled")
	require.NoError(t, os.Mkdir(run, 0o755))
	latest := filepath.Join(out, "latest")
	for content, want := range map[string]string{
		filepath.Base(run) + "\n": run,
		"../elsewhere\n":          latest,
		"two\nlines\n":            latest,
		"":                        latest,
		strings.Repeat("x", 1000): latest,
	} {
		require.NoError(t, os.WriteFile(latest, []byte(content), 0o644))
		require.Equal(t, want, Folder(latest), content)
	}
	require.Equal(t, run, Folder(run))
	require.Equal(t, filepath.Join(out, "none"), Folder(filepath.Join(out, "none")))
}

// Ensure that a file of another time is refused with its version, not drawn half.
func TestLoadNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(dir)
	require.ErrorContains(t, err, "summary.json")
	require.NoError(t, os.WriteFile(filepath.Join(dir, summaryFile), []byte(`{"schema_version": 7}`), 0o644))
	_, err = Load(dir)
	require.ErrorContains(t, err, "schema version 7, this program reads 2")
	require.NoError(t, os.WriteFile(filepath.Join(dir, summaryFile), []byte(`{`), 0o644))
	_, err = Load(dir)
	require.ErrorContains(t, err, "parse")
}

// Ensure that no figure of a wrong run stands unmarked, whatever prints it.
func TestFiguresOfWrongRunsAreVoid(t *testing.T) {
	p := newPage(fixture(t, "wrong"), nil)
	markdown := string(renderMarkdown(p))
	require.Contains(t, markdown, "~~7.9 ms~~ VOID")
	html, err := renderHTML(p, assetSet{})
	require.NoError(t, err)
	require.Contains(t, string(html), "<s>7.9 ms</s> VOID")
	for _, row := range p.Needs.Rows {
		require.Equal(t, "little code", row[0].Text, "advice from a wrong run")
	}
	for _, plot := range p.plots() {
		for _, l := range plot.legend() {
			require.NotContains(t, strings.ToLower(l.Name), "kappa", "a plot of a wrong run")
		}
	}
}

// Ensure that one wrong repetition strikes out the median of all.
func TestOneWrongRepetitionStrikesTheGroup(t *testing.T) {
	s := fixture(t, "repeated")
	s.Runs[0].OK = false
	g := groups(s, "freshness")[0]
	require.Equal(t, struck, metricNamed("event visible, p50").cell(g).Tone)
	require.Equal(t, "WRONG: 1 of 6 runs", g.answers().Text)
}

// Ensure that a void run has its reason and not one figure.
func TestVoidRunsHaveNoFigures(t *testing.T) {
	s := fixture(t, "void")
	for _, g := range groups(s, "freshness") {
		if g.Arm != "kappa" {
			continue
		}
		for _, common := range ledger.Metrics(nil) {
			m := metric{common}
			require.Equal(t, cell{Text: "void", Tone: void}, m.cell(g), m.Name)
		}
		require.Equal(t, "void: generator lag p99 11.3 ms, above 5 ms", g.answers().Text)
	}
}

// Ensure that a void repetition adds nothing to the median of the others, whatever it holds.
func TestVoidRepetitionDoesNotCount(t *testing.T) {
	s := fixture(t, "repeated")
	m := metricNamed("event visible, p50")
	g := groups(s, "freshness")[0]
	before := m.values(g)
	s.Runs[0].Void = "the machine was too slow"
	require.Len(t, m.values(g), len(before)-1)
	require.Equal(t, "right: 5 runs, 1 void", g.answers().Text)
}

// Ensure that components of arms that shared a log are not drawn beside each other: that would
// rank what was not measured apart. Their runs have no cost.
func TestSharedLogsDrawNoCost(t *testing.T) {
	components := []result.Component{{Name: "broker", CPUSeconds: 1}}
	run := result.Run{Scenario: "settled", Arm: "kappa", OK: true, Events: 1000, Components: components}
	bars := func() int {
		s := &result.Summary{Runs: []result.Run{run}}
		return len(costPlot("settled", groups(s, "settled")).Bars)
	}
	require.Zero(t, bars())
	run.Cost = &result.Cost{}
	require.Equal(t, 1, bars(), "alone on its log")
}
