package live

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeStart is when the course of a fake begins, ms Unix.
const fakeStart = int64(1_790_000_000_000)

// course is what happens in a fake by itself, by its second: a round that begins again.
var course = []struct {
	second int
	do     Do
}{
	{40, Do{Do: Late}},
	{105, Do{Do: Kill, Part: "kappa process"}},
	{127, Do{Do: Restart, Part: "kappa process"}},
	{180, Do{Do: Spike}},
	{225, Do{Do: "deploy", Part: "kappa replay", Value: "v2"}},
	{260, Do{Do: "deploy", Part: "lambda batch", Value: "v2"}},
}

const round = 300 // seconds

// fakeParts are all parts, in the order of the data flow.
var fakeParts = []Part{
	{"generator", ""},
	{"broker", ""},
	{"lambda ingest", Lambda},
	{"lambda batch", Lambda},
	{"lambda speed", Lambda},
	{"lambda serve", Lambda},
	{"kappa process", Kappa},
	{"kappa replay", Kappa},
	{"kappa serve", Kappa},
}

// fakeActions are one button of every kind, and as many as a server has.
var fakeActions = func() []Action {
	all := []Action{
		{
			Do: Late, Group: "events", Label: "Late burst", Takes: 2, Numbers: []string{"late", "accuracy", "dropped_late"},
			What:  "A tenth of the readings is sent a minute late for twenty seconds.",
			Watch: "Windows that lack late readings: Lambda's go with the next batch view, Kappa's stay.",
		},
		{
			Do: Duplicates, Group: "events", Label: "Duplicates", Takes: 2, Numbers: []string{"duplicates", "wrong"},
			What: "Every fifth reading is sent twice.", Watch: "Duplicates known go up on both sides; nothing counts double.",
		},
		{
			Do: Poison, Group: "events", Label: "Poison", Takes: 2, Numbers: []string{"dead_letters"},
			What: "Payloads that nobody can decode.", Watch: "Dead letters go up; nothing else suffers.",
		},
		{
			Do: Spike, Group: "events", Label: "Spike ×10", Takes: 2, Numbers: []string{"rate", "lag", "freshness"},
			What: "Ten times the rate for ten seconds.", Watch: "Who lags, and who is fresh again first?",
		},
	}
	for _, p := range fakeParts[1:] {
		if p.Name != "kappa replay" {
			all = append(all, Action{
				Do: Kill, Part: p.Name, Group: "parts", Side: p.Side, Label: "Kill " + p.Name, Toggle: true, Numbers: []string{"freshness", "lag"},
				What: "SIGKILL, no goodbye.", Watch: "The age of the answer goes up until it is restarted and has caught up.",
			})
		}
	}
	return append(all,
		Action{
			Do: "deploy", Part: "lambda batch", Value: "v2", Group: "logic", Side: Lambda, Label: "v2 in the batch layer only",
			Numbers: []string{"version", "wrong", "mixed"}, What: "The batch layer computes by v2 and the speed layer by v1.",
			Watch: "Rows of another version, at the boundary.",
		},
		Action{
			Do: "deploy", Part: "kappa replay", Value: "v2", Group: "logic", Side: Kappa, Label: "v2 by replay", Takes: 1,
			Numbers: []string{"version", "cpu"}, What: "A second processor replays the log under v2 beside the first, then answers are cut over.",
			Watch: "The replay in the drawing, and the version when it is over.",
		},
		Action{
			Do: "interval", Group: "logic", Side: Lambda, Label: "Batch every", Choices: []string{"5s", "10s", "30s"},
			Numbers: []string{"boundary", "generation", "cpu"}, What: "The batch layer begins a run in this interval.",
			Watch: "The age of the batch view, and the batch layer's cores.",
		})
}()

// fake stands for the server: it plays a course, does what buttons ask for, and remembers what they asked.
type fake struct {
	*httptest.Server
	hub *Hub

	mu       sync.Mutex
	i        int64          // ticks so far
	down     map[string]int // since which tick a part is down
	burst    string
	until    int64 // tick at which the burst is over
	replay   int64 // tick at which the replay is over
	version  Sides // their Version only
	interval int64
	gen      int64
	lateGone [2]int64 // ticks until which windows lack late readings, Lambda and Kappa
	counts   struct{ late, dead, twice int64 }
	asked    []Do
	refusal  string // the answer to everything, unless it is empty
	alone    bool   // nothing happens by itself any more
}

func newFake(t testing.TB) *fake {
	f := &fake{hub: NewHub(), down: map[string]int{}, interval: 10}
	f.version.Lambda.Version, f.version.Kappa.Version = "v1", "v1"
	mux := http.NewServeMux()
	mux.Handle("/", Page())
	mux.HandleFunc("GET /live/stream", f.hub.ServeStream)
	mux.HandleFunc("GET /live/actions", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(fakeActions) })
	mux.HandleFunc("POST /live/do", f.do)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		f.hub.Close("the test is over")
		f.Close()
	})
	f.hello()
	return f
}

func (f *fake) hello() {
	_ = f.hub.Hello(Hello{
		Rate: 2000, Cars: 2000, WindowSeconds: 10, KeepSeconds: 600, Views: []string{"windows", "alerts"}, Broker: "embedded (kfake v0.0.0)",
		Embedded: true, Machine: "AMD EPYC, 2 cores, 24 GiB", Revision: "0123456789ab", Parts: fakeParts,
		BatchIntervalS: float64(f.interval), Started: fakeStart,
	})
}

// do is POST /live/do.
func (f *fake) do(w http.ResponseWriter, r *http.Request) {
	var asked Do
	answer := func(code int, x any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(x)
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.Header.Get("Content-Type") != "application/json" {
		answer(http.StatusBadRequest, Refusal{"no JSON"})
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, asked)
	if f.refusal != "" {
		answer(http.StatusConflict, Refusal{f.refusal})
		return
	}
	answer(http.StatusAccepted, Done{f.perform(asked)})
}

// perform does what is asked for, and says it.
func (f *fake) perform(d Do) string {
	var text string
	numbers := []string{}
	switch d.Do {
	case Kill:
		f.down[d.Part] = int(f.i)
		text, numbers = d.Part+" was killed", []string{"freshness", "lag"}
	case Restart:
		delete(f.down, d.Part)
		text = d.Part + " was started again"
	case "interval":
		_, _ = fmt.Sscanf(d.Value, "%ds", &f.interval)
		text = "the batch layer begins a run every " + d.Value
		f.hello()
	case "deploy":
		if d.Part == "kappa replay" {
			f.replay = f.i + 80
			text = "a replay under v2 began"
		} else {
			f.version.Lambda.Version = "v2"
			text = "the batch layer computes by v2"
		}
	default:
		f.burst, f.until = d.Do, f.i+60
		if d.Do == Late {
			f.lateGone = [2]int64{f.i + 4*f.interval + 60, f.i + 4*round}
		}
		text, numbers = d.Do+" for 15 s", []string{"accuracy"}
	}
	side := ""
	if i := slices.IndexFunc(fakeParts, func(p Part) bool { return p.Name == d.Part }); i >= 0 {
		side = fakeParts[i].Side
	}
	note := Note{At: f.now(), Kind: ByButton, Side: side, Text: text, Numbers: numbers}
	if f.burst != "" && f.until == f.i+60 {
		note.From, note.To = f.now(), f.now()+15_000
	}
	_ = f.hub.Note(note)
	return text
}

func (f *fake) now() int64 { return fakeStart + 250*f.i }

// step plays a quarter of a second.
func (f *fake) step() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.i++
	if f.i%4 == 0 {
		second := int(f.i / 4)
		for _, c := range course {
			if c.second == second%round && !f.alone {
				f.perform(c.do)
			}
		}
		_ = f.hub.Cars(Cars{At: f.now(), Lambda: f.cars(0), Kappa: f.cars(f.absent("kappa process"))})
		if f.absent("lambda batch") == 0 && int64(second)%f.interval == 0 {
			f.gen++
			_ = f.hub.Batch(Batch{At: f.now(), Generation: f.gen, Side: Lambda})
		}
	}
	if f.i == f.until {
		f.burst = ""
	}
	if f.i == f.replay {
		f.version.Kappa.Version = "v2"
		_ = f.hub.Note(Note{At: f.now(), Kind: Fact, Side: Kappa, Text: "v2 is live: answers were cut over", Numbers: []string{"version"}, From: f.now()})
	}
	_ = f.hub.Tick(f.tick())
}

// play plays some seconds at once.
func (f *fake) play(seconds int) {
	for range 4 * seconds {
		f.step()
	}
}

// run goes on in real time, or some times as fast, until the test ends.
func (f *fake) run(t testing.TB, times int) {
	clock := time.NewTicker(250 * time.Millisecond / time.Duration(times))
	var player sync.WaitGroup
	player.Go(func() {
		for {
			select {
			case <-t.Context().Done():
				return
			case <-clock.C:
				f.step()
			}
		}
	})
	t.Cleanup(func() { clock.Stop(); player.Wait() })
}

// absent is for how many ticks a part is down.
func (f *fake) absent(part string) int64 {
	since, down := f.down[part]
	if !down {
		return 0
	}
	return f.i - int64(since) + 1
}

// noise is between 0 and 1, the same in every run.
func (f *fake) noise(k int64) float64 {
	x := math.Sin(float64(f.i*31+k*7919)) * 43758.5453
	return x - math.Floor(x)
}

func (f *fake) cars(behind int64) string {
	all := make([]byte, 2000)
	for i := range all {
		n := f.noise(int64(i))
		age := int64(n*3) + behind/4
		switch {
		case n > 0.99:
			all[i] = 'A'
		case i%401 == 7:
			all[i] = '.'
		default:
			all[i] = byte('0' + min(9, age))
		}
	}
	return string(all)
}

func (f *fake) tick() Tick {
	rate := 2000 + 20*f.noise(1)
	if f.burst == Spike {
		rate *= 10
	}
	switch f.burst {
	case Late:
		f.counts.late += 5
	case Poison:
		f.counts.dead += 3
	case Duplicates:
		f.counts.twice += 100
	}
	return Tick{
		At: f.now(), Sent: rate, Acked: rate, Burst: f.burst, Log: Log{End: 500 * f.i, Bytes: 129 * 500 * f.i, Kept: 500 * f.i},
		Sides: Sides{f.lambda(rate), f.kappa(rate)}, Parts: f.parts(rate),
		Disk: Disk{Log: 150 << 20, Lambda: 40 << 20, Page: 1 << 20}, Oracle: OracleState{RSS: 200 << 20},
	}
}

func (f *fake) lambda(rate float64) Side {
	fresh := 12 + 6*f.noise(2) + 250*float64(f.absent("lambda speed"))
	boundary := float64(f.i%(4*f.interval))*250 + 1500
	late := int64(0)
	if f.i < f.lateGone[0] {
		late = 2400
	}
	return Side{
		Answers: f.absent("lambda serve") == 0, Version: f.version.Lambda.Version, FreshnessMS: &fresh, BatchFreshnessMS: &boundary,
		BoundaryAgeMS: &boundary, Visible: Visible{9 + 2*f.noise(3), 21 + 9*f.noise(4), 200}, Lag: int64(fresh * rate / 1000), Generation: f.gen,
		Accuracy:    Accuracy{Windows: 58_000, Exact: 58_000 - late, LacksLate: late},
		DroppedLate: f.counts.late, DeadLetters: f.counts.dead, Duplicates: f.counts.twice, Alerts: 118 + int64(9*f.noise(5)),
	}
}

func (f *fake) kappa(rate float64) Side {
	away := f.absent("kappa process")
	fresh := 9 + 4*f.noise(6) + 250*float64(away)
	a := Accuracy{Windows: 58_000}
	if f.i < f.lateGone[1] && f.lateGone[1] > 0 {
		a.LacksLate = 2400
	}
	a.Missing = max(0, away-40) * 500
	if f.replay > f.i {
		a.Other = 30
	}
	a.Exact = a.Windows - a.LacksLate - a.Missing - a.Other
	return Side{
		Answers: f.absent("kappa serve") == 0, Version: f.version.Kappa.Version, FreshnessMS: &fresh,
		Visible: Visible{7 + 2*f.noise(7), 15 + 5*f.noise(8), 200}, Lag: int64(fresh * rate / 1000), Accuracy: a,
		DroppedLate: f.counts.late, DeadLetters: f.counts.dead, Duplicates: f.counts.twice, Alerts: 118 + int64(9*f.noise(9)),
	}
}

func (f *fake) parts(rate float64) map[string]PartState {
	all := map[string]PartState{}
	for i, p := range fakeParts {
		s := PartState{State: Up, CPU: 0.05 + 0.1*f.noise(int64(20+i)), RSS: int64(40+10*i) << 20, Lag: int64(30 * f.noise(int64(40+i))), Rate: rate}
		if p.Side == "" {
			s.Lag = -1
		}
		if away := f.absent(p.Name); away > 0 {
			s = PartState{State: Down, Lag: 500 * away}
		}
		all[p.Name] = s
	}
	if batch := all["lambda batch"]; batch.State == Up {
		batch.Lag, batch.Rate = f.i%(4*f.interval)*500, 0
		if f.i%(4*f.interval) < 8 {
			batch.State, batch.CPU, batch.Rate = Busy, 0.9, 400_000
		}
		all["lambda batch"] = batch
	}
	if f.replay <= f.i {
		delete(all, "kappa replay")
	} else {
		all["kappa replay"] = PartState{State: Busy, CPU: 0.95, RSS: 190 << 20, Lag: (f.replay - f.i) * 12_000, Rate: 48_000}
	}
	return all
}

// asks are what buttons have asked for so far.
func (f *fake) asks() []Do {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// Ensure that the fake keeps to the contract itself: what it names are numbers that there are, and what it judges adds up.
func TestFakeKeepsTheContract(t *testing.T) {
	f := newFake(t)
	for _, a := range fakeActions {
		require.Subset(t, Numbers, a.Numbers, a.Label)
	}
	for range 4 * round {
		f.step()
		tick := f.tick()
		for _, s := range []Side{tick.Sides.Lambda, tick.Sides.Kappa} {
			a := s.Accuracy
			require.Equal(t, a.Windows, a.Exact+a.LacksLate+a.Missing+a.Double+a.Other)
		}
		names := slices.Collect(maps.Keys(tick.Parts))
		require.GreaterOrEqual(t, len(names), len(fakeParts)-1)
	}
}
