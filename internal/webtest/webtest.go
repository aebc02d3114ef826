// Package webtest opens pages in a headless browser for tests: what they draw, what they ask the network for, what they
// complain about, and what somebody who cannot see them would miss.
package webtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// limit is how long a test may look at one page: a machine that is busy draws slowly.
const limit = 2 * time.Minute

// browsers that speak the protocol, in the order in which they are looked for.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "chrome"}

// WebEnv has the tests run that need a browser: make test-web. They take minutes, so make test does without.
const WebEnv = "LAMBDAKAPPA_TEST_WEB"

// AxeEnv names the file with axe-core's script; without it, [Page.RequireAccessible] skips the test.
const AxeEnv = "LAMBDAKAPPA_TEST_AXE"

// ShotsEnv names the folder for what [Page.Shot] sees.
const ShotsEnv = "LAMBDAKAPPA_TEST_SHOTS"

// A Page is one page in a browser of its own. Its methods fail the test that opened it; they are for one goroutine.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	said     []string // errors and warnings on the console, exceptions
	requests []string // addresses that were asked for
}

// A View is how a page is looked at.
type View struct {
	Width, Height int64 // CSS pixels; 1280 x 900 where they are 0
	Dark          bool
	Offline       bool          // no request is answered, but for files
	Patience      time.Duration // how long the test may look; 2 minutes where it is 0
}

// Open opens a page and waits until it has loaded. The test is skipped where there is no browser.
func Open(t testing.TB, address string, v View) *Page {
	t.Helper()
	Wanted(t)
	if v.Width == 0 {
		v.Width, v.Height = 1280, 900
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(find(t)), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true), chromedp.WSURLReadTimeout(limit))
	allocated, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	if v.Patience == 0 {
		v.Patience = limit
	}
	ctx, cancel = context.WithTimeout(ctx, v.Patience)
	t.Cleanup(cancel)
	p := &Page{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, p.hear)
	theme := "light"
	if v.Dark {
		theme = "dark"
	}
	p.Run(
		network.Enable(), log.Enable(), runtime.Enable(),
		emulation.SetDeviceMetricsOverride(v.Width, v.Height, 1, v.Width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
	)
	if v.Offline {
		p.Run(network.EmulateNetworkConditions(true, 0, 0, 0))
	}
	p.Run(chromedp.Navigate(address))
	return p
}

// Wanted skips the test unless [WebEnv] says that it is wanted.
func Wanted(t testing.TB) {
	t.Helper()
	if os.Getenv(WebEnv) == "" {
		t.Skip("opens a page in a browser: make test-web")
	}
}

func find(t testing.TB) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no browser: install chromium")
	return ""
}

func (p *Page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			p.said = append(p.said, fmt.Sprintf("%s: %s", e.Type, e.Args[0].Value))
		}
	case *runtime.EventExceptionThrown:
		p.said = append(p.said, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			p.said = append(p.said, string(e.Entry.Level)+": "+e.Entry.Text)
		}
	}
}

// Run does something in the page.
func (p *Page) Run(actions ...chromedp.Action) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Run(p.ctx, actions...))
}

// Eval evaluates an expression in the page, or what the promise comes to that it is.
func Eval[T any](p *Page, expression string) (value T) {
	p.t.Helper()
	await := func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }
	p.Run(chromedp.Evaluate(expression, &value, await))
	return value
}

// Eventually waits until an expression is true.
func (p *Page) Eventually(expression string) {
	p.t.Helper()
	p.Run(chromedp.Poll(expression, nil, chromedp.WithPollingTimeout(limit/2)))
}

// Memory is what the page holds when what nobody needs any more has been thrown away: bytes of its script's heap, and nodes of
// its documents.
func (p *Page) Memory() (heap float64, nodes int64) {
	p.t.Helper()
	p.Run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		if err = heapprofiler.CollectGarbage().Do(ctx); err != nil {
			return err
		}
		if heap, _, _, _, err = runtime.GetHeapUsage().Do(ctx); err != nil {
			return err
		}
		_, nodes, _, err = memory.GetDOMCounters().Do(ctx)
		return err
	}))
	return heap, nodes
}

// FramesPerSecond is how many frames the page draws, over some seconds.
func (p *Page) FramesPerSecond(seconds int) float64 {
	p.t.Helper()
	return Eval[float64](p, fmt.Sprintf(`new Promise((done) => {
		const begin = performance.now();
		let frames = 0;
		requestAnimationFrame(function count(now) {
			frames++;
			if (now - begin < %d) requestAnimationFrame(count); else done(1000 * frames / (now - begin));
		});
	})`, 1000*seconds))
}

// PDF is the page as it is printed.
func (p *Page) PDF() (pdf []byte) {
	p.t.Helper()
	p.Run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().Do(ctx)
		return err
	}))
	return pdf
}

// Shot writes what is seen, down to the end of the page or only what the window shows, as a PNG into the folder that [ShotsEnv]
// names, for somebody to look at; without a folder it does nothing.
func (p *Page) Shot(name string, whole bool) {
	p.t.Helper()
	dir := os.Getenv(ShotsEnv)
	if dir == "" {
		return
	}
	var png []byte
	p.Run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(whole).WithFromSurface(true).Do(ctx)
		return err
	}))
	require.NoError(p.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
}

// RequireQuiet demands that nothing was complained about, and that only addresses with one of the prefixes were asked for.
func (p *Page) RequireQuiet(allowed ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(p.t, p.said)
	for _, address := range p.requests {
		ok := false
		for _, prefix := range allowed {
			ok = ok || strings.HasPrefix(address, prefix)
		}
		require.True(p.t, ok, "the page asked for %s", address)
	}
}

// RequireFits demands that nothing has to be scrolled sideways.
func (p *Page) RequireFits() {
	p.t.Helper()
	require.LessOrEqual(p.t, Eval[int](p, "document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0,
		"the page is wider than its window")
}

// grave is what axe calls the faults that keep somebody out.
var grave = map[string]bool{"serious": true, "critical": true}

// RequireAccessible demands that axe-core finds no serious fault. The test is skipped where [AxeEnv] names no file.
func (p *Page) RequireAccessible() {
	p.t.Helper()
	file := os.Getenv(AxeEnv)
	if file == "" {
		p.t.Skip("no axe-core: make test-web fetches it")
	}
	script, err := os.ReadFile(file)
	require.NoError(p.t, err)
	p.Run(chromedp.Evaluate(string(script), nil))
	found := Eval[string](p, `axe.run().then((r) => JSON.stringify(r.violations.map((v) => (
		{ id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => n.html + " " + n.failureSummary) }))))`)
	var faults []struct {
		ID, Impact, Help string
		Nodes            []string
	}
	require.NoError(p.t, json.Unmarshal([]byte(found), &faults))
	for _, f := range faults {
		require.False(p.t, grave[f.Impact], "%s (%s): %s\n%s", f.ID, f.Impact, f.Help, strings.Join(f.Nodes[:min(3, len(f.Nodes))], "\n"))
	}
}
