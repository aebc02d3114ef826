package systemtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench/oracle"
	"lambdakappa/internal/eventlog/logtest"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// The versions of the logic, in the order of their deployments.
var deployments = []string{
	"v1",
	"v2", //bench:change bugfix
	"v3", //bench:change metric
	"v4", //bench:change field
}

// contested are events of a second about which all versions disagree, in every single window: car a
// leaks on the back axle, which v1 does not see; d crawls, which v1 takes for broken; v3 tells of the
// air, and v4 of the temperature outside.
func contested(second int) []string {
	at := afterNoon(second)
	return []string{
		fmt.Sprintf("car=a seq=%d t=%s tire_2_1=13 air=5 outside=280", second, at),
		fmt.Sprintf("car=d seq=%d t=%s speed=1 vibration=300 air=7 outside=290", second, at),
	}
}

// windowVersion tells which version a window of contested events comes from.
func windowVersion(w view.Window) string {
	switch {
	case w.AmbientTempMax != 0: //bench:change field
		return "v4"
	case w.IntakeAirFlowMax != 0: //bench:change metric
		return "v3"
	case (w.CarID == "a") == (w.Anomalies > 0):
		return "v2"
	default:
		return "v1"
	}
}

// alertFits reports whether a version raises an alert about contested events. Those after v2 raise the
// same ones.
func alertFits(a view.Alert, version string) bool { return (a.CarID == "a") == (version != "v1") }

// A watcher is a client that asks all the time, and remembers what it must not see.
type watcher struct {
	name    string
	client  *httpapi.Client
	layers  []httpapi.Layer
	version string // of the answer before
	lastSeq map[httpapi.Layer]int64
	reached map[int]int64 // position by partition
	answers map[string]int
	faults  []string
}

func newWatcher(name string, client *httpapi.Client, layers []httpapi.Layer) *watcher {
	return &watcher{
		name: name, client: client, layers: layers, version: "v1",
		lastSeq: map[httpapi.Layer]int64{}, reached: map[int]int64{}, answers: map[string]int{},
	}
}

func (w *watcher) fault(format string, args ...any) {
	w.faults = append(w.faults, w.name+": "+fmt.Sprintf(format, args...))
}

// named takes in the version of one answer: it never goes back.
func (w *watcher) named(version string) {
	if version < w.version {
		w.fault("an answer of %s after one of %s", version, w.version)
	}
	w.version = version
	w.answers[version]++
}

func (w *watcher) windows(rows []view.Window, s httpapi.Stamp) {
	w.named(s.Version)
	for _, row := range rows {
		if from := windowVersion(row); from != s.Version {
			w.fault("a window of %s in an answer of %s: %+v", from, s.Version, row)
		}
	}
}

func (w *watcher) alerts(rows []view.Alert, s httpapi.Stamp) {
	w.named(s.Version)
	for _, row := range rows {
		if !alertFits(row, s.Version) {
			w.fault("an alert of another version in an answer of %s: %+v", s.Version, row)
		}
	}
}

func (w *watcher) latest(l httpapi.Latest, layer httpapi.Layer) {
	w.windows([]view.Window{l.Window}, l.Stamp)
	// The speed view of a newer pair begins later: only the other layers never go back.
	if layer != httpapi.Speed && l.LastSeq < w.lastSeq[layer] {
		w.fault("the last seq of layer %q went back from %d to %d", layer, w.lastSeq[layer], l.LastSeq)
	}
	w.lastSeq[layer] = l.LastSeq
}

func (w *watcher) status(s httpapi.Status) {
	w.named(s.Version)
	for _, p := range s.Partitions {
		if p.Position < w.reached[p.Partition] {
			w.fault("the position of partition %d went back", p.Partition)
		}
		w.reached[p.Partition] = p.Position
	}
}

// watch asks for every kind of answer, in every format and layer, until ctx ends.
func (w *watcher) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.askAll(ctx); err != nil && ctx.Err() == nil {
			w.fault("%v", err)
			return
		}
	}
}

func (w *watcher) askAll(ctx context.Context) error {
	for _, layer := range w.layers {
		r := httpapi.All()
		r.Layer = layer
		for _, ask := range []func(context.Context, httpapi.Range) ([]view.Window, httpapi.Stamp, error){
			w.client.Windows, w.client.WindowsJSON,
		} {
			rows, stamp, err := ask(ctx, r)
			if err != nil {
				return err
			}
			w.windows(rows, stamp)
		}
		for _, ask := range []func(context.Context, httpapi.Range) ([]view.Alert, httpapi.Stamp, error){
			w.client.Alerts, w.client.AlertsJSON,
		} {
			rows, stamp, err := ask(ctx, r)
			if err != nil {
				return err
			}
			w.alerts(rows, stamp)
		}
		latest, ok, err := w.client.Latest(ctx, "a", -1, 0, layer)
		if err != nil {
			return err
		}
		if ok {
			w.latest(latest, layer)
		}
	}
	status, err := w.client.Status(ctx)
	if err == nil {
		w.status(status)
	}
	return err
}

// A revision is what a serving says of the alerts when it goes over to another version.
type revision struct {
	side, version, replaces string
	retracted, belated      int
}

// revisions keeps what the components say.
type revisions struct {
	mu  sync.Mutex
	all []revision
}

func (r *revisions) hear(side, fact string, fields ...any) {
	if fact != "alerts" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, revision{
		side, fields[1].(string), fields[3].(string), fields[5].(int), fields[7].(int),
	})
}

// of returns what one side has said of a version.
func (r *revisions) of(side, version string) (found []revision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.all {
		if one.side == side && one.version == version {
			found = append(found, one)
		}
	}
	return found
}

// Ensure that at no moment any answer mixes versions, on either side: through three deployments while
// events go on coming and clients go on asking, for everything, in every format and layer. After each,
// all answers are those of the oracle, and so is what is said of alerts that were taken back or came
// late.
func TestDeploymentsNeverMix(t *testing.T) {
	t.Parallel()
	said := &revisions{}
	s := defaultSettings()
	s.dir, s.partitions, s.notify = t.TempDir(), 2, said.hear
	w, err := openWorld(t.Context(), logtest.Config(t), s)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.close()) })

	second := 0
	send := func(seconds int) {
		for range seconds {
			_, err := w.send(contested(second))
			require.NoError(t, err)
			second++
		}
	}
	send(60)
	_, err = w.batch(command{})
	require.NoError(t, err)

	watchers, stop := watchAll(t, w)
	for _, version := range deployments[1:] {
		deployWhile(t, w, version, func() { send(1) })
		_, err := w.settleAll(command{})
		require.NoError(t, err)
		wrong, err := w.checkAll(command{})
		require.NoError(t, err)
		require.Empty(t, wrong)
		for _, side := range w.sides {
			found := said.of(side.name(), version)
			require.Len(t, found, 1)
			if version == "v2" { //bench:change bugfix
				require.Positive(t, found[0].retracted)
				require.Positive(t, found[0].belated)
			}
			if version > "v2" {
				require.Equal(t, revision{side: side.name(), version: version, replaces: found[0].replaces}, found[0])
			}
		}
	}
	stop()
	for _, watcher := range watchers {
		require.Empty(t, watcher.faults)
		for _, version := range deployments {
			require.Positive(t, watcher.answers[version], "%s was never asked while %s was live", watcher.name, version)
		}
	}

	// The way back, and nobody sends: what is taken back and what comes late is all of the difference.
	newest := deployments[len(deployments)-1]
	before, after := alertsOf(t, w, newest), alertsOf(t, w, "v1")
	deployWhile(t, w, "v1", func() {})
	for _, side := range w.sides {
		require.Equal(t, []revision{{
			side: side.name(), version: "v1", replaces: newest,
			retracted: only(before, after), belated: only(after, before),
		}}, said.of(side.name(), "v1"))
	}
}

// deployWhile brings a version live on both sides, with something going on between two looks at them.
func deployWhile(t *testing.T, w *world, version string, meanwhile func()) {
	t.Helper()
	w.version = version
	for _, side := range w.sides {
		require.NoError(t, side.replace(version, w.views))
	}
	require.NoError(t, w.await("both to serve "+version, func() (bool, error) {
		meanwhile()
		for _, side := range w.sides {
			if err := side.batch(w.ctx, w.log); err != nil {
				return false, err
			}
			status, err := side.status(w)
			if err != nil || status.Version != version {
				return false, err
			}
		}
		return true, nil
	}))
}

// watchAll lets several clients of each side ask until stop is called.
func watchAll(t *testing.T, w *world) (watchers []*watcher, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for _, side := range w.sides {
		layers := []httpapi.Layer{""}
		if side.name() == "lambda" {
			layers = append(layers, httpapi.Batch, httpapi.Speed)
		}
		for i := range 2 {
			var client *httpapi.Client
			require.Eventually(t, func() bool {
				client = side.client()
				return client != nil
			}, patience, time.Millisecond)
			watcher := newWatcher(fmt.Sprintf("client %d of %s", i, side.name()), client, layers)
			watchers = append(watchers, watcher)
			clients.Go(func() {
				defer client.Close()
				watcher.watch(ctx)
			})
		}
	}
	return watchers, func() {
		cancel()
		clients.Wait()
	}
}

// alertsOf are the alerts that a version raises over the log so far; nothing on it is late.
func alertsOf(t *testing.T, w *world, version string) map[view.AlertKey]bool {
	t.Helper()
	w.version = version
	o, err := w.oracle()
	require.NoError(t, err)
	return keysOf(o.TruthA())
}

func keysOf(a oracle.Answer) map[view.AlertKey]bool {
	keys := map[view.AlertKey]bool{}
	for _, alert := range a.Alerts {
		keys[alert.AlertKey] = true
	}
	return keys
}

// only counts what is in a and not in b.
func only(a, b map[view.AlertKey]bool) int {
	n := 0
	for key := range a {
		if !b[key] {
			n++
		}
	}
	return n
}

// Ensure that the watcher sees what it is there for.
func TestWatcherSeesMixtures(t *testing.T) {
	f := func(want string, see func(w *watcher)) {
		t.Helper()
		w := newWatcher("client", nil, nil)
		see(w)
		if want == "" {
			require.Empty(t, w.faults)
			return
		}
		require.Len(t, w.faults, 1)
		require.Contains(t, w.faults[0], want)
	}
	row := func(car string, anomalies int64) view.Window {
		return view.Window{
			WindowKey: view.WindowKey{CarID: car}, Tally: view.Tally{Readings: 1, Anomalies: anomalies},
		}
	}
	v1, v2 := httpapi.Stamp{Version: "v1"}, httpapi.Stamp{Version: "v2"}
	f("", func(w *watcher) { w.windows([]view.Window{row("a", 0), row("d", 1)}, v1) })
	f("", func(w *watcher) { w.windows([]view.Window{row("a", 1), row("d", 0)}, v2) })
	f("a window of v2 in an answer of v1", func(w *watcher) {
		w.windows([]view.Window{row("a", 0), row("d", 0)}, v1)
	})
	f("a window of v1 in an answer of v2", func(w *watcher) { w.windows([]view.Window{row("a", 0)}, v2) })
	f("an alert of another version", func(w *watcher) {
		w.alerts([]view.Alert{{AlertKey: view.AlertKey{CarID: "a"}}}, v1)
	})
	f("an answer of v1 after one of v2", func(w *watcher) {
		w.alerts(nil, v2)
		w.alerts(nil, v1)
	})
	f("the last seq of layer", func(w *watcher) {
		w.latest(httpapi.Latest{Stamp: v1, LastSeq: 5, Window: row("a", 0)}, "")
		w.latest(httpapi.Latest{Stamp: v1, LastSeq: 4, Window: row("a", 0)}, "")
	})
	f("the position of partition 0 went back", func(w *watcher) {
		w.status(httpapi.Status{Stamp: v1, Partitions: []httpapi.PartitionStatus{{Position: 2}}})
		w.status(httpapi.Status{Stamp: v1, Partitions: []httpapi.PartitionStatus{{Position: 1}}})
	})
}
