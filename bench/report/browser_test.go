package report

import (
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"lambdakappa/bench/decide"
	"lambdakappa/bench/result"
	"lambdakappa/internal/webtest"
)

// openReport writes the report of a run and opens it from disk, with the network gone.
func openReport(t *testing.T, s, reference *result.Summary, address string, v webtest.View) *webtest.Page {
	t.Helper()
	return openReportIn(t, t.TempDir(), s, reference, address, v)
}

func openReportIn(t *testing.T, dir string, s, reference *result.Summary, address string, v webtest.View) *webtest.Page {
	t.Helper()
	require.NoError(t, Write(dir, s, reference))
	v.Offline = true
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(dir, "report.html"))} // of any folder's name
	return webtest.Open(t, file.String()+address, v)
}

func referenceRun(t *testing.T) *result.Summary {
	t.Helper()
	s, err := Load("../../results/reference")
	require.NoError(t, err)
	return s
}

// Ensure that the script draws every line plot in a real browser, with a legend and with values under the pointer, also of
// hostile names; that no name becomes an element; and that the page asks the network for nothing.
func TestWebDrawsThePlots(t *testing.T) {
	for _, name := range []string{"right", "hostile", "interrupted"} {
		t.Run(name, func(t *testing.T) {
			want := 0
			for _, p := range newPage(fixture(t, name), nil).plots() {
				if len(p.Lines) > 0 {
					want++
				}
			}
			p := openReport(t, fixture(t, name), nil, "", webtest.View{})
			require.Equal(t, want, webtest.Eval[int](p, `document.querySelectorAll("figure .live canvas").length`))
			require.Equal(t, want, webtest.Eval[int](p, `document.querySelectorAll("figure .live table.u-legend").length`))
			require.Zero(t, webtest.Eval[int](p, `document.querySelectorAll("img").length`), "a name became an element")
			for n := range want {
				requireValuesUnderThePointer(t, p, n)
			}
			p.RequireQuiet("file://")
		})
	}
}

// requireValuesUnderThePointer moves the pointer into the middle of the nth plot: its legend has values then.
func requireValuesUnderThePointer(t *testing.T, p *webtest.Page, n int) {
	t.Helper()
	at := webtest.Eval[[]float64](p, fmt.Sprintf(`(() => {
		const over = document.querySelectorAll("figure .live .u-over")[%d];
		over.scrollIntoView({ block: "center" });
		const r = over.getBoundingClientRect();
		return [r.left + r.width / 2, r.top + r.height / 2];
	})()`, n))
	p.Run(chromedp.MouseEvent("mouseMoved", at[0]-3, at[1]), chromedp.MouseEvent("mouseMoved", at[0], at[1]))
	p.Eventually(fmt.Sprintf(`Array.from(document.querySelectorAll("figure .live .u-legend")[%d].querySelectorAll(".u-value"))
		.some((v) => /[0-9]/.test(v.textContent))`, n))
}

// Ensure that a click on a name in the legend hides its line, and that a drag looks closer.
func TestWebPlotsAreInteractive(t *testing.T) {
	p := openReport(t, fixture(t, "right"), nil, "", webtest.View{})
	p.Run(chromedp.Evaluate(`document.querySelectorAll("figure .u-legend .u-series")[1].querySelector("th").click()`, nil))
	p.Eventually(`document.querySelectorAll("figure .u-legend .u-series")[1].classList.contains("u-off")`)

	const plot = `Array.from(document.querySelectorAll("figure")).find((f) => /over time/.test(f.querySelector("figcaption").textContent))`
	place := webtest.Eval[[]float64](p, `(() => {
		const over = `+plot+`.querySelector(".u-over");
		over.scrollIntoView({ block: "center" });
		const r = over.getBoundingClientRect();
		return [r.left, r.width, r.top + r.height / 2];
	})()`)
	at := func(share float64) (x, y float64) { return place[0] + share*place[1], place[2] }
	move := func(share float64) chromedp.Action {
		x, y := at(share)
		return chromedp.MouseEvent("mouseMoved", x, y, chromedp.ButtonLeft)
	}
	seconds := func() float64 { // under a pointer that is at a tenth of the width
		p.Run(move(0.12), move(0.1))
		return webtest.Eval[float64](p, `parseFloat(`+plot+`.querySelector(".u-legend .u-value").textContent)`)
	}
	before := seconds()
	press := func(kind string, share float64) chromedp.Action {
		x, y := at(share)
		return chromedp.MouseEvent(input.MouseType(kind), x, y, chromedp.ButtonLeft, chromedp.ClickCount(1))
	}
	p.Run(press("mousePressed", 0.5), move(0.6), move(0.8), press("mouseReleased", 0.8))
	require.Greater(t, seconds(), before+1, "looked closer")
	p.RequireQuiet("file://")
}

// Ensure that the page computes what the program computes, for the numbers that its form begins with and for those of an
// address, in the same words; and that what is no number changes nothing.
func TestWebComputesAsTheProgram(t *testing.T) {
	reference := referenceRun(t)
	model, err := decide.Measure(reference)
	require.NoError(t, err)
	for address, change := range map[string]decide.Numbers{
		"":                                      nil,
		"#numbers:rate=123456&history=0.5":      {"rate": 123456, "history": 43200},
		"#numbers:interval=7&staleness=3":       {"interval": 420, "staleness": 3},
		"#numbers:late=0&changes=40&disk=0.001": {"late": 0, "changes": 40, "disk": 0.001},
		"#numbers:rate=-5&people-kappa=1000000": {"people-kappa": 1e6},
	} {
		t.Run(address, func(t *testing.T) {
			in := model.Defaults()
			maps.Copy(in, change)
			p := openReport(t, fixture(t, "right"), reference, address, webtest.View{})
			requireAnswer(t, p, model, in)
			require.Equal(t, regexp.MustCompile(`interval|late|changes|people`).MatchString(address),
				webtest.Eval[bool](p, `document.getElementById("more").open`), "what an address says is shown")
			p.RequireQuiet("file://")
		})
	}
}

func requireAnswer(t *testing.T, p *webtest.Page, model *decide.Model, in decide.Numbers) {
	t.Helper()
	texts := func(selector string) []string {
		return webtest.Eval[[]string](p, fmt.Sprintf(`Array.from(document.querySelectorAll(%q)).map((e) => e.textContent)`, selector))
	}
	var answer, turns []string
	for _, q := range model.Quantities {
		answer = append(answer, model.Line(q, in)...)
	}
	for _, c := range model.Crossings {
		turns = append(turns, model.Crossed(c, in))
	}
	require.Equal(t, answer, texts("#answer td"))
	require.Equal(t, turns, texts("#turns li"))
	require.Equal(t, model.Limits(in), texts("#limits li"))
}

// Ensure that two sources stand beside each other, and below each other on a phone; that a line which is too long is scrolled
// with the keyboard; and that they can be read by everybody, in the light and in the dark.
func TestWebSourcesBesideEachOther(t *testing.T) {
	s := fixture(t, "right")
	sizes, root := ownSource(t)
	s.CodeSize = sizes
	dir := t.TempDir()
	keepSource(t, dir, root)
	for name, v := range map[string]webtest.View{"light": {}, "dark": {Dark: true}, "phone": {Width: 390, Height: 844}} {
		t.Run(name, func(t *testing.T) {
			p := openReportIn(t, dir, s, nil, "", v)
			require.Equal(t, len(roles), webtest.Eval[int](p, `document.querySelectorAll("details.pair").length`))
			require.Zero(t, webtest.Eval[int](p, `document.querySelectorAll("details.pair[open]").length`), "who came for figures is not stopped")
			p.Run(chromedp.Evaluate(`document.querySelectorAll("details.pair summary").forEach((s) => s.click())`, nil))
			p.Eventually(`document.querySelectorAll("details.pair[open]").length === ` + fmt.Sprint(len(roles)))
			places := webtest.Eval[[]float64](p, `Array.from(document.querySelectorAll("details.pair .source")).slice(0, 2)
				.map((e) => e.getBoundingClientRect().top)`)
			require.Equal(t, v.Width == 390, places[1] > places[0], "one below the other")
			p.RequireFits()
			p.Run(chromedp.Evaluate(`document.querySelector(".code").focus()`, nil), chromedp.KeyEvent(kb.ArrowRight))
			p.Eventually(`document.activeElement.classList.contains("code") && document.activeElement.scrollLeft > 0`)
			p.RequireQuiet("file://")
			p.RequireAccessible()
		})
	}
}

// Ensure that a slider is a number that can be moved with the keyboard, that what it says is computed, and that the address
// keeps it.
func TestWebSliders(t *testing.T) {
	reference := referenceRun(t)
	model, err := decide.Measure(reference)
	require.NoError(t, err)
	p := openReport(t, reference, nil, "", webtest.View{})
	const slider = `document.querySelector('.slider[data-for="rate"]')`
	p.Run(chromedp.Evaluate(slider+`.focus()`, nil), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	rate := webtest.Eval[float64](p, `Number(document.getElementById("in-rate").value)`)
	require.Greater(t, rate, model.Defaults()["rate"])
	in := model.Defaults()
	in["rate"] = rate
	requireAnswer(t, p, model, in)
	require.Contains(t, webtest.Eval[string](p, `location.hash`), "rate=")
	require.True(t, webtest.Eval[bool](p, `!document.getElementById("price").hidden && document.querySelectorAll("#price canvas").length === 1`))
	p.RequireQuiet("file://")
}

// Ensure that the page can be read in the light and in the dark, on a phone, on paper, and by somebody who hears it.
func TestWebForEverybody(t *testing.T) {
	reference := referenceRun(t)
	for name, v := range map[string]webtest.View{
		"light": {}, "dark": {Dark: true}, "phone": {Width: 390, Height: 844}, "dark phone": {Width: 390, Height: 844, Dark: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := openReport(t, reference, nil, "", v)
			p.RequireFits()
			ground := webtest.Eval[string](p, `getComputedStyle(document.body).backgroundColor`)
			require.Equal(t, v.Dark, ground != "rgb(255, 255, 255)", ground)
			require.Greater(t, len(p.PDF()), 50_000)
			p.RequireQuiet("file://")
			p.RequireAccessible()
		})
	}
}
