package live

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"lambdakappa/internal/webtest"
)

// openLive opens the page of a fake, and waits until it shows what happens.
func openLive(t *testing.T, f *fake, v webtest.View) *webtest.Page {
	t.Helper()
	if v.Width == 0 {
		v.Width, v.Height = 1280, 800
	}
	p := webtest.Open(t, f.URL, v)
	p.Eventually(`document.querySelector("#state").textContent === "live" && document.querySelectorAll("#actions button").length > 0 &&
		document.querySelector("#difference").textContent !== "" && document.querySelector("#cars-said").textContent !== ""`)
	return p
}

// playedFake is a fake that has played its course once and goes on without it.
func playedFake(t *testing.T, times int) *fake {
	f := newFake(t)
	f.play(round)
	f.alone = true
	f.run(t, times)
	return f
}

func texts(p *webtest.Page, selector string) []string {
	return webtest.Eval[[]string](p, fmt.Sprintf(`Array.from(document.querySelectorAll(%q)).map((e) => e.textContent)`, selector))
}

// drawn counts the pixels of a canvas that have (nearly) a colour of the page.
func drawn(p *webtest.Page, canvas, colour string) int {
	return webtest.Eval[int](p, fmt.Sprintf(`(() => {
		const canvas = %s, probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
		probe.canvas.width = canvas.width;
		probe.canvas.height = canvas.height;
		probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(%q).trim();
		probe.fillRect(0, 0, 1, 1);
		const want = probe.getImageData(0, 0, 1, 1).data;
		probe.clearRect(0, 0, 1, 1);
		probe.drawImage(canvas, 0, 0);
		const all = probe.getImageData(0, 0, canvas.width, canvas.height).data;
		let n = 0;
		for (let i = 0; i < all.length; i += 4) {
			if (all[i + 3] > 200 && [0, 1, 2].every((k) => Math.abs(all[i + k] - want[k]) < 24)) n++;
		}
		return n;
	})()`, canvas, colour))
}

// Ensure that the page shows all of a side's numbers and says the difference in words; that the plots of both sides are drawn,
// also those further down; and that the cars and the flow are there.
func TestWebShowsWhatHappens(t *testing.T) {
	f := playedFake(t, 1)
	p := openLive(t, f, webtest.View{})
	for _, side := range []string{Lambda, Kappa} {
		for i := range 4 {
			require.Greater(t, drawn(p, fmt.Sprintf(`document.querySelectorAll(".plot.%s canvas")[%d]`, side, i), "--"+side), 200, "plot %d of %s", i, side)
		}
		require.Greater(t, drawn(p, fmt.Sprintf(`document.getElementById("%s-cars")`, side), "--"+side), 2000)
		p.Eventually(fmt.Sprintf(`document.querySelector("#%s-board dd").textContent.endsWith(" ms")`, side))
		require.NotContains(t, texts(p, "#"+side+"-board dd"), "–")
		require.Greater(t, drawn(p, fmt.Sprintf(`document.querySelector("#%s-flow canvas")`, side), "--"+side), 20, "dots run")
	}
	require.Contains(t, texts(p, "#lambda-board dd"), "100 %")
	require.Contains(t, texts(p, "#kappa-board dd"), "95.8 %")
	require.Contains(t, texts(p, "#kappa-board dd"), "2,400")
	said := texts(p, "#difference")[0]
	require.Contains(t, said, "More exact: Lambda, 100 % against 95.8 %; 2,400 windows of Kappa lack readings that came too late.")
	require.Contains(t, texts(p, "#broker")[0], "no Kafka")
	require.Contains(t, texts(p, "#cars-said")[0], "of 2,000 cars")
	require.Len(t, texts(p, "#parts tbody tr"), len(fakeParts))
	require.Len(t, texts(p, "#log li"), len(course)+1)
	p.RequireQuiet(f.URL + "/")
}

// Ensure that everything that an action or a note may point at is on the page.
func TestWebHasAllNumbers(t *testing.T) {
	f := playedFake(t, 1)
	p := openLive(t, f, webtest.View{})
	for _, number := range Numbers {
		require.True(t, webtest.Eval[bool](p, fmt.Sprintf(`document.querySelector('[data-number~="%s"]') !== null`, number)), number)
	}
}

// Ensure that the pointer shows the values of its moment in all plots, and that the keyboard does too; that a plot names what was
// down then; and that a click on a name hides its line.
func TestWebReadsThePlots(t *testing.T) {
	f := newFake(t)
	f.play(round)
	p := openLive(t, f, webtest.View{})
	at := webtest.Eval[[]float64](p, `(() => {
		const r = document.querySelector(".plot.kappa .u-over").getBoundingClientRect();
		return [r.left + r.width * (1 - 180 / 300), r.top + r.height / 2];
	})()`)
	p.Run(chromedp.MouseEvent("mouseMoved", at[0]-3, at[1]), chromedp.MouseEvent("mouseMoved", at[0], at[1]))
	p.Eventually(`document.querySelectorAll(".legend .time")[7].textContent !== "now"`)
	for i, time := range texts(p, ".legend .time") {
		require.Regexp(t, `^\d\d:\d\d:\d\d`, time, "plot %d", i)
		require.Equal(t, i%2 == 1, strings.Contains(time, "kappa process down"), "plot %d: %s", i, time)
	}
	require.Regexp(t, `^1\d s$`, texts(p, ".plot.kappa .legend b")[0], "fifteen seconds after the kill")
	require.NotContains(t, texts(p, ".legend b")[:2], "–")

	p.Run(chromedp.MouseEvent("mouseMoved", 5, 5))
	p.Eventually(`document.querySelectorAll(".legend .time")[0].textContent === "now"`)
	p.Run(chromedp.Evaluate(`document.querySelector(".plot.kappa .canvas").focus()`, nil), chromedp.KeyEvent(kb.PageUp), chromedp.KeyEvent(kb.ArrowLeft))
	p.Eventually(`document.querySelectorAll(".legend .time")[0].textContent.includes(":")`)

	before := drawn(p, `document.querySelector(".plot.kappa canvas")`, "--kappa")
	p.Run(chromedp.Evaluate(`document.querySelector(".plot.kappa .legend button").click()`, nil))
	p.Eventually(`document.querySelector(".plot.kappa .legend button").getAttribute("aria-pressed") === "false"`)
	require.Less(t, drawn(p, `document.querySelector(".plot.kappa canvas")`, "--kappa"), before/4)
	p.RequireQuiet(f.URL + "/")
}

// pressKey presses the nth button with the keyboard, as soon as it can be pressed.
func pressKey(p *webtest.Page, n int) {
	button := fmt.Sprintf(`document.querySelectorAll("#actions button")[%d]`, n)
	p.Eventually(button + `.getAttribute("aria-disabled") !== "true"`)
	p.Run(chromedp.Evaluate(button+`.focus()`, nil), chromedp.KeyEvent(kb.Enter))
}

// Ensure that every button asks the server for exactly what its action says, once; says what it did and what to look at; and
// frames these numbers and no others.
func TestWebButtonsDoWhatTheySay(t *testing.T) {
	f := playedFake(t, 20)
	p := openLive(t, f, webtest.View{})
	n, want := 0, []Do(nil)
	for _, a := range fakeActions {
		values := a.Choices
		if len(values) == 0 {
			values = []string{a.Value}
		}
		for _, value := range values {
			want = append(want, Do{a.Do, a.Part, value})
			pressKey(p, n)
			p.Eventually(fmt.Sprintf(`[%q, %q].includes(document.querySelector("#told h3")?.textContent)`, a.Label, a.Label+": "+value))
			require.Contains(t, texts(p, "#told")[0], a.Watch)
			require.Equal(t, want, f.asks())
			require.Contains(t, texts(p, "#told")[0], a.What)
			framed := webtest.Eval[[]string](p, `Array.from(document.querySelectorAll(".watch"), (e) => e.dataset.number)`)
			require.NotEmpty(t, framed)
			for _, names := range framed {
				require.True(t, anyOf(strings.Fields(names), a.Numbers), "%s frames %s", a.Label, names)
			}
			if a.Toggle { // and it says the opposite now
				p.Eventually(fmt.Sprintf(`document.querySelectorAll("#actions button")[%d].textContent.startsWith("Restart ")`, n))
				p.Eventually(`document.querySelectorAll(".diagram .down").length > 0`)
				want = append(want, Do{Restart, a.Part, ""})
				pressKey(p, n)
				p.Eventually(fmt.Sprintf(`document.querySelectorAll("#actions button")[%d].textContent.startsWith("Kill ")`, n))
				require.Equal(t, want, f.asks())
			}
			n++
		}
	}
	require.Len(t, texts(p, "#actions button"), n)
	p.Eventually(`document.querySelector(".choices [aria-pressed=true]").textContent === "30s"`)
	p.RequireQuiet(f.URL + "/")
}

func anyOf(some, of []string) bool {
	for _, s := range some {
		for _, o := range of {
			if s == o {
				return true
			}
		}
	}
	return false
}

// Ensure that what lasts cannot be asked for again meanwhile, however often the button is pressed.
func TestWebButtonsRest(t *testing.T) {
	f := newFake(t)
	f.play(30)
	p := openLive(t, f, webtest.View{})
	pressKey(p, 0)
	p.Eventually(`document.querySelector("#told h3")?.textContent === "Late burst"`)
	f.step() // and the server says that it is on
	p.Eventually(`Array.from(document.querySelectorAll("#actions button")).slice(0, 4).map((b) => b.getAttribute("aria-disabled") === "true").join() === "true,false,false,false"`)
	p.Run(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Enter))
	require.Len(t, f.asks(), 1)
	require.True(t, webtest.Eval[bool](p, `document.activeElement.textContent === "Late burst"`), "who uses the keyboard is still there")
}

// Ensure that a refusal is shown in the server's own words, that nothing is framed then, and that a server that is gone is said.
func TestWebShowsErrors(t *testing.T) {
	f := playedFake(t, 1)
	p := openLive(t, f, webtest.View{})
	f.mu.Lock()
	f.refusal = `a batch run is on: <b>wait</b> for its end`
	f.mu.Unlock()
	pressKey(p, 5)
	p.Eventually(`document.querySelector("#told.bad p")?.textContent === "a batch run is on: <b>wait</b> for its end"`)
	require.Zero(t, webtest.Eval[int](p, `document.querySelectorAll(".watch").length`))
	require.True(t, webtest.Eval[bool](p, `document.querySelectorAll("#actions button")[5].getAttribute("aria-disabled") === "true"`))
	f.hub.Close("the demo is over")
	p.Eventually(`document.querySelector("#state").textContent.includes("the demo is over") && document.body.classList.contains("away")`)
}

// Ensure that a page whose stream breaks says so, comes back by itself, and knows then what it missed.
func TestWebComesBack(t *testing.T) {
	f := newFake(t)
	f.play(60)
	p := openLive(t, f, webtest.View{})
	p.Run(chromedp.Evaluate(`window.states = [];
		new MutationObserver(() => window.states.push(document.querySelector("#state").textContent))
			.observe(document.querySelector("#state"), { childList: true, characterData: true, subtree: true }); null`, nil))
	f.CloseClientConnections()
	f.play(120)
	p.Eventually(`window.states.at(-1) === "live"`)
	require.Equal(t, []string{"reconnecting…", "live"}, webtest.Eval[[]string](p, `window.states`)[:2])
	p.Eventually(`document.querySelector("#uptime").textContent === "0:03:00"`)
	require.Len(t, texts(p, "#log li"), 4, "every note once")
	p.Run(chromedp.Evaluate(`document.querySelector(".plot.kappa .canvas").focus()`, nil))
	for range 4*180/40 - 1 {
		p.Run(chromedp.KeyEvent(kb.PageUp))
	}
	p.Eventually(fmt.Sprintf(`document.querySelector(".plot.kappa .time").textContent === new Date(%d).toTimeString().slice(0, 8)`, fakeStart+40*250))
	p.Eventually(`document.querySelector("#state").textContent === "no news from the server"`) // the fake stands still
}

// Ensure that a part that is down is crossed out, that its absence is a band of its side's plots alone, and that a replay is there
// only while it runs.
func TestWebShowsTheState(t *testing.T) {
	f := newFake(t)
	f.play(110)
	p := openLive(t, f, webtest.View{})
	p.Eventually(`document.querySelectorAll(".diagram .down").length === 1`)
	require.Equal(t, []string{"processordown"}, texts(p, ".diagram .down"))
	require.True(t, webtest.Eval[bool](p, `getComputedStyle(document.querySelector(".diagram .down .strike")).display !== "none"`))
	require.Equal(t, "none", webtest.Eval[string](p, `getComputedStyle(document.querySelector(".diagram .up .strike")).display`))
	require.Len(t, texts(p, "#kappa-flow .none"), 1)
	f.play(120)
	p.Eventually(`document.querySelectorAll("#kappa-flow .busy").length === 1 && document.querySelectorAll("#kappa-flow .none").length === 0`)
	p.Eventually(`document.querySelectorAll(".diagram .down").length === 0`)
	p.RequireQuiet(f.URL + "/")
}

// Ensure that nothing moves for who wants no movement.
func TestWebStandsStill(t *testing.T) {
	f := playedFake(t, 1)
	p := openLive(t, f, webtest.View{})
	p.Run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}))
	const canvas = `document.querySelector("#lambda-flow canvas")`
	p.Eventually(`matchMedia("(prefers-reduced-motion: reduce)").matches`)
	p.Eventually(`document.querySelector("#lambda-flow canvas").getContext("2d").getImageData(0, 0, 900, 300).data.every((v) => v === 0)`)
	webtest.Eval[float64](p, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
	require.Zero(t, drawn(p, canvas, "--lambda"))
}

// Ensure that the page can be read in the light and in the dark, on a phone, and by somebody who hears it.
func TestWebForEverybody(t *testing.T) {
	f := playedFake(t, 1)
	for name, v := range map[string]webtest.View{
		"light": {}, "dark": {Dark: true}, "projector": {Width: 1920, Height: 1080}, "phone": {Width: 390, Height: 844}, "dark-phone": {Width: 390, Height: 844, Dark: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := openLive(t, f, v)
			pressKey(p, 0) // with what it says
			p.Eventually(`document.querySelector("#told h3") !== null`)
			p.RequireFits()
			ground := webtest.Eval[string](p, `getComputedStyle(document.body).backgroundColor`)
			require.Equal(t, v.Dark, ground != "rgb(255, 255, 255)", ground)
			p.Shot("live-"+name, false)
			p.Shot("live-"+name+"-whole", true)
			p.RequireQuiet(f.URL + "/")
			p.RequireAccessible()
		})
		f.mu.Lock()
		f.burst = "" // for the next
		f.mu.Unlock()
	}
}

// Ensure that the page moves while everything happens, and holds after an hour what it held after ten minutes. How many frames
// a second it draws is a machine's; what is asserted is only that it is no slide show.
func TestWebHoldsForHours(t *testing.T) {
	f := newFake(t)
	f.play(600)
	for range mostNotes {
		require.NoError(t, f.hub.Note(Note{At: f.now(), Kind: Fact, Text: "the page's log is full from the beginning"}))
	}
	p := openLive(t, f, webtest.View{})
	heap, nodes := p.Memory()
	const speed = 120
	f.run(t, speed)
	frames := p.FramesPerSecond(5)
	require.Greater(t, frames, 5.0)
	for _, hour := range []string{"0:30:", "0:50:", "1:10:"} {
		p.Eventually(fmt.Sprintf(`document.querySelector("#uptime").textContent >= %q`, hour))
		heapNow, nodesNow := p.Memory()
		t.Logf("after %s %.2f MB and %d nodes; at first %.2f MB and %d", hour, heapNow/1e6, nodesNow, heap/1e6, nodes)
		require.Less(t, heapNow, 1.2*heap+2e6)
		require.Less(t, nodesNow, nodes+nodes/20)
	}
	t.Logf("%.0f frames a second at %d times the pace", frames, speed)
	require.Equal(t, "live", webtest.Eval[string](p, `document.querySelector("#state").textContent`))
	p.RequireQuiet(f.URL + "/")
}
