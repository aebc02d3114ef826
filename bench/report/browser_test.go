package report

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
			require.NoError(t, Write(dir, fixture(t, name)))
			dom := dumpDOM(t, browser, filepath.Join(dir, "report.html"))
			want := 0
			for _, p := range newPage(fixture(t, name)).plots() {
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
