package report

import (
	"context"
	"html"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/decide"
)

// browsers that can print the page as it stands after its script has run.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "chrome"}

func findBrowser() string {
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Ensure that the script draws every line plot in a real browser, also with hostile names, and
// that no name becomes script. Without a browser there is nothing to ask.
func TestBrowserDrawsThePlots(t *testing.T) {
	browser := findBrowser()
	if browser == "" {
		t.Log("no browser found")
		return
	}
	for _, name := range []string{"right", "hostile", "interrupted"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, Write(dir, fixture(t, name), nil))
			dom := dumpDOM(t, browser, filepath.Join(dir, "report.html"))
			want := 0
			page := newPage(fixture(t, name), nil)
			require.Nil(t, page.Numbers)
			for _, p := range page.plots() {
				if len(p.Lines) > 0 {
					want++
				}
			}
			require.Equal(t, want, strings.Count(dom, "<canvas"), "line plots drawn by uPlot")
			require.Equal(t, want, strings.Count(dom, `<table class="u-legend`), "with a legend")
			require.False(t, strings.Contains(dom, "<img"), "a name became an element")
		})
	}
}

func dumpDOM(t *testing.T, browser, file string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// Not t.TempDir: a browser's children may still write there when it has answered, and that
	// must not fail the test.
	profile, err := os.MkdirTemp("", "report-browser")
	require.NoError(t, err)
	defer os.RemoveAll(profile)
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu",
		"--user-data-dir="+profile, "--dump-dom", "file://"+file)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	dom, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return string(dom)
}

// Ensure that the page computes what the program computes, for the numbers that its form begins with and for those of an
// address, in the same words; and that it says so when a number is none.
func TestBrowserComputesAsTheProgram(t *testing.T) {
	browser := findBrowser()
	if browser == "" {
		t.Log("no browser found")
		return
	}
	reference, err := Load("../../results/reference")
	require.NoError(t, err)
	model, err := decide.Measure(reference)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, Write(dir, fixture(t, "right"), reference))
	for address, change := range map[string]decide.Numbers{
		"":                                      nil,
		"#numbers:rate=123456&history=0.5":      {"rate": 123456, "history": 43200},
		"#numbers:interval=7&staleness=3":       {"interval": 420, "staleness": 3},
		"#numbers:late=0&changes=40&disk=0.001": {"late": 0, "changes": 40, "disk": 0.001},
		"#numbers:rate=-5&people-kappa=1000000": {"people-kappa": 1e6}, // what is none is as before
	} {
		in := model.Defaults()
		maps.Copy(in, change)
		dom := html.UnescapeString(dumpDOM(t, browser, filepath.Join(dir, "report.html")+address))
		answer := between(t, dom, `<div id="answer">`, "</div></div>")
		for _, q := range model.Quantities {
			for _, cell := range model.Line(q, in) {
				require.Contains(t, answer, ">"+cell+"</td>", "%s, %s", address, q.Name)
			}
		}
		turns := between(t, dom, `<ul id="turns">`, "</ul>")
		for _, c := range model.Crossings {
			require.Contains(t, turns, "<li>"+model.Crossed(c, in)+"</li>", address)
		}
		limits := between(t, dom, `<ul id="limits">`, "</ul>")
		for _, line := range model.Limits(in) {
			require.Contains(t, limits, "<li>"+line+"</li>", address)
		}
	}
}

func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	require.True(t, ok, from)
	inside, _, ok := strings.Cut(rest, to)
	require.True(t, ok, to)
	return inside
}
