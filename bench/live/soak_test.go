package live

import (
	"flag"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/webtest"
)

// soak shows the page for that long, in a browser, and holds what everything takes at the end against what it took in the
// beginning: LAMBDAKAPPA_TEST_WEB=1 go test ./bench/live -run TestWebSoak -timeout 2h -args -soak 1h
var soak = flag.Duration("soak", 0, "show the page for that long and measure whether anything grows; at least 30m")

// flat is by how much something may have changed from the beginning to the end.
const flat = 0.10

// Ensure that nothing grows while the page is shown for hours: memory of every process and of the page in the browser, and the
// disk. The beginning is when the log first forgets, and half as long again; the end is the last sixth.
func TestWebSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("takes an hour: LAMBDAKAPPA_TEST_WEB=1 go test ./bench/live -run TestWebSoak -timeout 2h -args -soak 1h")
	}
	s, address := startWhole(t, func(*Config) {})
	p := webtest.Open(t, address, webtest.View{Patience: *soak + 5*time.Minute})
	began := time.Now()
	settledAfter := s.cfg.Keep * 3 / 2
	share := *soak / 6
	require.Greater(t, *soak, settledAfter+2*share, "too short to have a beginning and an end")
	first, last := map[string][]float64{}, map[string][]float64{}
	var frames []float64
	for time.Since(began) < *soak {
		time.Sleep(10 * time.Second) // what a soak is
		now := s.measure(p)
		frames = append(frames, p.FramesPerSecond(1))
		since := time.Since(began)
		switch {
		case since > settledAfter && since <= settledAfter+share:
			add(first, now)
		case since > *soak-share:
			add(last, now)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(first)) {
		before, after := median(first[name]), median(last[name])
		t.Logf("%-24s %8.1f MB in the beginning, %8.1f MB in the end, x %.3f", name, before/1e6, after/1e6, after/before)
	}
	t.Logf("frames a second: median %.0f, least %.0f", median(frames), slices.Min(frames))
	t.Logf("windows judged: lambda %+v, kappa %+v", s.lambda.now().Accuracy, s.kappa.now().Accuracy)
	for name := range first {
		before, after := median(first[name]), median(last[name])
		require.LessOrEqual(t, after, before*(1+flat)+2e6, "%s grows", name) // a page or two is no growth
	}
	require.Zero(t, s.lambda.now().Accuracy.Other+s.lambda.now().Accuracy.Double)
	require.Zero(t, s.kappa.now().Accuracy.Other+s.kappa.now().Accuracy.Double)
}

// measure is what everything takes now, bytes.
func (s *server) measure(p *webtest.Page) map[string]float64 {
	now := map[string]float64{}
	for name, part := range s.accountant.partsNow(s.lambda, s.kappa) {
		if part.State != Down {
			now["memory "+name] = float64(part.RSS)
		}
	}
	s.accountant.mu.Lock()
	now["memory server"] = float64(s.accountant.own)
	now["disk, all"] = float64(s.accountant.disk.Log + s.accountant.disk.Lambda + s.accountant.disk.Page)
	now["disk, log"] = float64(s.accountant.disk.Log)
	now["disk, lambda"] = float64(s.accountant.disk.Lambda)
	s.accountant.mu.Unlock()
	now["memory page, browser"], _ = p.Memory()
	return now
}

func add(all map[string][]float64, now map[string]float64) {
	for name, bytes := range now {
		all[name] = append(all[name], bytes)
	}
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
