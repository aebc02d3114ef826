package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const good = `name: mine
question: is it so?
sentence: what is run
claim: it is so
procedure: steady
with: {probed: true}
arms:
  - kappa
  - name: slow
    like: kappa
    args: {"kappa process": [--linger, 50ms]}
workload: {cars: 10, rate: 100, duration: 5s, repetitions: 2}
profiles:
  full:
    workload: {duration: 60s}
verdict:
  - {figure: throughput, of: slow, to: kappa, expect: below}
`

// Ensure that a file is read as it stands, and that a profile changes only what it names.
func TestParse(t *testing.T) {
	s, err := Parse("mine.yaml", []byte(good))
	require.NoError(t, err)
	require.Equal(t, Arm{Name: "kappa", Like: "kappa"}, s.Arms[0])
	require.Equal(t, []string{"--linger", "50ms"}, s.Arms[1].Args["kappa process"])
	require.Equal(t, 5*time.Second, s.Sized(Quick).Duration)
	require.Equal(t, 60*time.Second, s.Sized(Full).Duration)
	require.Equal(t, 2, s.Sized(Full).Repetitions)
	var with struct {
		Probed bool `yaml:"probed"`
	}
	require.NoError(t, s.Decode(Quick, &with))
	require.True(t, with.Probed)
	var other struct {
		Proved bool `yaml:"proved"`
	}
	require.ErrorContains(t, s.Decode(Quick, &other), `mine.yaml:6: probed: unknown field "probed"`)
}

// Ensure that what cannot work is refused with file, line and field, before anything is started.
func TestParseRefuses(t *testing.T) {
	f := func(from, to, want string) {
		t.Helper()
		require.Contains(t, good, from)
		_, err := Parse("mine.yaml", []byte(strings.Replace(good, from, to, 1)))
		assert.ErrorContains(t, err, want)
	}
	f("duration: 5s", "duration: 5 seconds", `mine.yaml:12: duration: time: unknown unit " seconds"`)
	f("cars: 10", "cars: many", `mine.yaml:12: cars: "many": takes a whole number`)
	f("probed: true", "probed: [", "mine.yaml:")
	f("name: mine", "name: yours", `mine.yaml:1: name: "yours" differs from the name of the file`)
	f("sentence: what is run", "sentense: what is run", `mine.yaml:3: sentense: unknown field "sentense"`)
	f("procedure: steady", "procedure:", `procedure: must be given`)
	f("claim: it is so\n", "", `mine.yaml:16: verdict: judges a claim that is not there`)
	f("  - kappa\n", "  - kapa\n", `mine.yaml:8: arm "kapa": is none of kappa, lambda`)
	f("  - kappa\n", "  - kappa\n  - kappa\n", `mine.yaml:9: arms[1]: "kappa" is there twice`)
	f("like: kappa", "like: gamma", `mine.yaml:10: arms[1].like: "gamma" is neither lambda nor kappa`)
	f(`"kappa process"`, `"lambda speed"`, `mine.yaml:11: arms[1].args: "lambda speed" is no component of kappa`)
	f("rate: 100", "rate: -1", `mine.yaml:12: workload.rate: rate -1: must be above 0`)
	f("rate: 100", "rate: 1e9", `rate 1e+09: must be above 0`)
	f("rate: 100", "rate: fast", `mine.yaml:12: rate: "fast": takes a number`)
	f("duration: 5s", "duration: soon", `mine.yaml:12`)
	f("repetitions: 2", "repetitions: -2", `mine.yaml:12: workload.repetitions: -2: must be at least 1`)
	f("cars: 10,", "cars: 10, disturb: rain=1,", `disturbance "rain": is none of`)
	f("  full:", "  huge:", `mine.yaml:15: profiles.huge: is none of quick, full`)
	f("of: slow", "of: fast", `mine.yaml:17: verdict[0].of: "fast" is no arm of this scenario`)
	f("expect: below", "expect: better", `mine.yaml:17: verdict[0].expect: "better" is none of below, above, same`)
	f("to: kappa, ", "", `mine.yaml:17: verdict[0].than: must be given for a figure`)
	f("figure: throughput", "answers: exact, figure: throughput", `verdict[0]: takes either figure or answers`)
}

// Ensure that nothing in a file can make the reader panic.
func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("")
	f.Add("name: [")
	f.Add("---\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("mine.yaml", []byte(text))
		if err == nil {
			require.NotEmpty(t, s.Name)
		}
	})
}

// Ensure that a point of a sweep changes one thing, and says what and by how much.
func TestSweep(t *testing.T) {
	f := func(point, want string) {
		t.Helper()
		file := strings.Replace(good, "duration: 5s, repetitions: 2", "duration: 5s, repetitions: 2, disturb: duplicates=0.05", 1)
		file = strings.Replace(file, "{duration: 60s}\n", "{duration: 60s}\n    sweep: ["+point+"]\n", 1)
		s, err := Parse("mine.yaml", []byte(file))
		if want != "" {
			require.ErrorContains(t, err, want)
			return
		}
		require.NoError(t, err)
		require.Len(t, s.Points(Full), 1)
		p := s.Points(Full)[0]
		require.Equal(t, []any{"duplicates", "%", 1.0}, []any{p.Parameter, p.Unit, p.Value})
		require.Equal(t, "duplicates=0.01", p.Disturb)
		require.Equal(t, 60*time.Second, p.Duration)
	}
	f("{disturb: duplicates=0.01, repetitions: 1}", "")
	f("{duration: 10s, rate: 5}", "sweep[0]: a point changes one of batch_interval, duration, rate and disturb")
	f("{disturb: late=0.01}", `sweep[0].disturb: "late=0.01": takes another share of the one thing`)
	f(`{disturb: "duplicates=0.01,late=0.01"}`, "takes another share")
	f("{disturb: duplicates=2}", "duplicates 2: must be between 0 and 1")
}
