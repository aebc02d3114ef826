package systemtest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/internal/eventlog/logtest"
)

// randomScripts is how many random transcripts one run plays. Their seeds are fixed, so that a
// failure is the same tomorrow; raise it to look for more.
const randomScripts = 10

// Ensure that whatever happens to the log and to the components, in whatever order, both sides
// answer the truth. A script that fails is printed as a transcript: put it into testdata.
func TestRandomScripts(t *testing.T) { playRandom(t, drawScript) }

// Ensure that they answer the truth of what they keep, to the row, where they drop what the watermark has left behind,
// and trim what they have on disk and on the log.
func TestRandomScriptsWithARetention(t *testing.T) { playRandom(t, drawKeepingScript) }

func playRandom(t *testing.T, draw func(*rapid.T) []command) {
	t.Parallel()
	dir := t.TempDir()
	log := logtest.Config(t)
	for seed := range randomScripts {
		name := fmt.Sprintf("seed-%d", seed)
		commands := rapid.Custom(draw).Example(seed)
		s := &script{ctx: t.Context(), log: log, dir: filepath.Join(dir, name), prefix: name + "."}
		if err := playScript(s, commands); err != nil {
			t.Errorf("%s: %v\n\n%s", name, err, transcript(commands))
		}
		require.NoError(t, s.close())
	}
}

func playScript(s *script, commands []command) error {
	for _, c := range commands {
		out, err := s.play(c)
		if err == nil && c.name == "check" && out != "" {
			err = fmt.Errorf("wrong answer:\n%s", out)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// transcript writes commands as a file of testdata has them.
func transcript(commands []command) string {
	var b strings.Builder
	for _, c := range commands {
		b.WriteString(c.name)
		for _, word := range c.words {
			b.WriteString(" " + word)
		}
		for name, value := range c.args {
			b.WriteString(" " + name + "=" + value)
		}
		b.WriteString("\n" + c.input + "----\n\n")
	}
	return b.String()
}

// drawScript draws a transcript: bursts of disturbed events, and between them what operators and
// accidents do.
func drawScript(t *rapid.T) []command {
	incremental := rapid.SampledFrom([]string{"false", "true"}).Draw(t, "incremental")
	script := []command{{name: "open", args: map[string]string{
		"partitions": "2", "incremental": incremental,
		"guarantee": rapid.SampledFrom([]string{"at-least-once", "exactly-once"}).Draw(t, "guarantee"),
		"gap":       rapid.SampledFrom([]string{"30s", "5s", "2s"}).Draw(t, "gap"),
	}}}
	d := &drawnLog{seqs: map[string]int{}, ends: map[int]int{}}
	deployment := rapid.IntRange(0, 16).Draw(t, "deployment") // half of the scripts end with v1
	version := rapid.SampledFrom(laterVersions).Draw(t, "version")
	for step := range rapid.IntRange(4, 8).Draw(t, "steps") {
		script = append(script, d.burst(t))
		if step == deployment {
			script = append(script, command{name: "deploy", words: []string{version}})
		}
		script = append(script, rapid.SampledFrom(accidents).Draw(t, "accident")...)
	}
	return append(script,
		command{name: "settle"}, command{name: "check"}, command{name: "batch"}, command{name: "check"})
}

// drawKeepingScript draws a longer transcript, of sides that keep little more than what may still change.
func drawKeepingScript(t *rapid.T) []command {
	script := drawScript(t)
	open := script[0].args
	open["incremental"] = "false"
	open["retention"] = map[string]string{"30s": "100s", "5s": "50s", "2s": "45s"}[open["gap"]]
	d := &drawnLog{seqs: map[string]int{}, ends: map[int]int{}}
	d.goOn(script)
	for range rapid.IntRange(4, 8).Draw(t, "more steps") {
		script = append(script, d.burst(t))
		script = append(script, rapid.SampledFrom(accidents).Draw(t, "accident")...)
	}
	return append(script,
		command{name: "settle"}, command{name: "check"}, command{name: "batch"}, command{name: "check"})
}

// laterVersions are what a script may deploy beside v1.
var laterVersions = []string{
	"v2", //bench:change bugfix
	"v3", //bench:change metric
	"v4", //bench:change field
}

// accidents may happen between two bursts. Where a component is away for a while, the log goes on
// without it only as far as the next accident; kills under load are the driver's.
var accidents = [][]command{
	{},
	{},
	{{name: "settle"}, {name: "check"}},
	{{name: "batch"}, {name: "check"}},
	{{name: "batch"}},
	restart("kappa", "processor"),
	restart("kappa", "serving"),
	restart("lambda", "ingest"),
	restart("lambda", "speed"),
	restart("lambda", "serving"),
}

func restart(side, part string) []command {
	return []command{
		{name: "kill", words: []string{side, part}}, {name: "start", words: []string{side, part}},
	}
}

// A drawnLog knows what was drawn so far.
type drawnLog struct {
	now  int            // seconds after noon that the log has reached
	seqs map[string]int // next seq by car
	ends map[int]int    // next offset by partition
}

// goOn takes up a log where a script has left it.
func (d *drawnLog) goOn(script []command) {
	for _, c := range script {
		for line := range strings.Lines(c.input) {
			var place, car string
			if fields := strings.Fields(line); fields[0] == "again" {
				place = fields[1][:1]
			} else {
				car = strings.TrimPrefix(fields[0], "car=")
				place = map[string]string{"a": "0", "d": "1"}[car]
				var seq, hour, minute, second int
				_, _ = fmt.Sscanf(fields[1], "seq=%d", &seq)
				_, _ = fmt.Sscanf(fields[3], "append=%d:%d:%d", &hour, &minute, &second)
				d.seqs[car] = max(d.seqs[car], seq+1)
				d.now = max(d.now, minute*60+second)
			}
			d.ends[int(place[0]-'0')]++
		}
	}
}

func (d *drawnLog) burst(t *rapid.T) command {
	var b strings.Builder
	for range rapid.IntRange(1, 12).Draw(t, "events") {
		line := d.event(t)
		b.WriteString(line + "\n")
	}
	return command{name: "send", input: b.String()}
}

// event draws one line of "send". The two cars are in partitions of their own.
func (d *drawnLog) event(t *rapid.T) string {
	car := rapid.SampledFrom([]string{"a", "d"}).Draw(t, "car")
	partition := map[string]int{"a": 0, "d": 1}[car]
	offset := d.ends[partition]
	d.ends[partition]++
	kind := rapid.SampledFrom([]string{"new", "new", "new", "new", "again", "conflict", "broken"}).Draw(t, "kind")
	if kind == "again" && offset > 0 {
		return fmt.Sprintf("again %d/%d", partition, rapid.IntRange(0, offset-1).Draw(t, "offset"))
	}
	d.now += rapid.IntRange(0, 8).Draw(t, "pause")
	seq := d.seqs[car]
	d.seqs[car]++
	behind := rapid.SampledFrom([]int{0, 0, 0, 1, 5, 20, 35, 50, -5, -20}).Draw(t, "behind")
	if kind == "conflict" && seq > 0 {
		seq = rapid.IntRange(0, seq-1).Draw(t, "seq")
		d.seqs[car]--
	}
	line := fmt.Sprintf("car=%s seq=%d t=%s append=%s speed=%d air=%d", car, seq,
		afterNoon(max(0, d.now-behind)), afterNoon(d.now), rapid.IntRange(0, 9).Draw(t, "speed"),
		rapid.IntRange(0, 9).Draw(t, "air"))
	line += rapid.SampledFrom(faults).Draw(t, "fault")
	if kind == "broken" {
		line += " broken=" + rapid.SampledFrom([]string{"magic", "truncated", "schema"}).Draw(t, "broken")
	}
	return line
}

// faults are around the limits of the rules.
var faults = []string{
	"", "", "", " coolant=110.25", " coolant=110", " tire_1_2=25 tire_2_1=29", " tire_2_2=25",
	" shock_1_2=6.25", " vibration=900", " outside=280", " outside=299.5", " outside=-1", " voltage=209.75", " voltage=209.75 charge=20",
}

func afterNoon(seconds int) string {
	return fmt.Sprintf("12:%02d:%02d", seconds/60, seconds%60)
}
