package doctor

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lambdakappa/bench"
)

// Ensure that the version that is asked for is the one that the module needs.
func TestTheNeededGoIsThatOfTheModule(t *testing.T) {
	raw, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	require.Equal(t, regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(string(raw))[1], neededGo[len("go"):])
}

// judged holds a check against its verdict and a part of its line.
func judged(t *testing.T, c Check, want Verdict, part string) {
	t.Helper()
	require.Equal(t, want, c.Verdict, c.String())
	require.Contains(t, c.String(), part)
	require.NotContains(t, c.String(), "\n")
	require.Equal(t, want == OK, c.Remedy == "", "a remedy where one is needed: %s", c)
}

// Ensure that no Go is no failure: what needs it is named.
func TestGo(t *testing.T) {
	f := func(want Verdict, part, found string, err error) {
		t.Helper()
		judged(t, judgeGo(found, err), want, part)
	}
	f(OK, "go1.26.0", neededGo, nil)
	f(OK, "go1.31.2", "go1.31.2", nil)
	f(Warning, "go1.25.9 is too old: needed for code tasks", "go1.25.9", nil)
	f(Warning, "was not found: needed for code tasks", "", errors.New("not in PATH"))
	f(Warning, `calls itself "devel +1b2c"`, "devel +1b2c", nil)
}

// Ensure that the go command that runs this test is found and asked.
func TestGoIsFound(t *testing.T) {
	judged(t, checkGo(t.Context(), Options{}), OK, "Go      go1.")
	t.Setenv("PATH", "")
	judged(t, checkGo(t.Context(), Options{}), Warning, "was not found")
}

func TestToolsAreNoMustBe(t *testing.T) {
	t.Setenv("PATH", "")
	c := checkTools(t.Context(), Options{})
	require.Equal(t, OK, c.Verdict)
	require.Contains(t, c.String(), "neither git nor make, which is no fault: type what the Makefile runs")
}

func TestMemory(t *testing.T) {
	f := func(want Verdict, part string, available uint64, err error) {
		t.Helper()
		judged(t, judgeMemory(8<<30, available, err), want, part)
	}
	f(OK, "3.0 GiB free of 8.0 GiB", 3<<30, nil)
	f(Warning, "1.5 GiB free of 8.0 GiB: end other programs", 3<<29, nil)
	f(Failed, "512 MiB free of 8.0 GiB: end other programs", 1<<29, nil)
	f(Warning, unknown, 0, errors.New("no /proc"))
}

func TestDisk(t *testing.T) {
	f := func(want Verdict, part string, free uint64, err error) {
		t.Helper()
		judged(t, judgeDisk(place{"here", "/stick", "choose another one"}, func() (uint64, error) { return free, err }), want, part)
	}
	f(OK, "5.0 GiB free here", 5<<30, nil)
	f(Warning, "2.0 GiB free here: 4.0 GiB here are enough; choose another one", 2<<30, nil)
	f(Failed, "1.0 MiB free here: 4.0 GiB here are enough", 1<<20, nil)
	f(Failed, "here (/stick) nothing may be written: choose another one", 0, &fs.PathError{Err: fs.ErrPermission})
	f(Warning, "room here "+unknown, 0, errors.New("no such call"))
}

// Ensure that the worst of two places is the verdict, and that a try leaves nothing.
func TestDiskTakesTheWorstPlace(t *testing.T) {
	here := t.TempDir()
	c := checkDisk(t.Context(), Options{Folder: here, Temp: filepath.Join(here, "gone")})
	judged(t, c, Warning, "room for temporary files "+unknown)
	require.Contains(t, c.Says, "free here")
	left, err := os.ReadDir(here)
	require.NoError(t, err)
	require.Empty(t, left)
}

// Ensure that a port that is taken is named with who has it and what to do, and the others are free.
func TestPorts(t *testing.T) {
	listen := func() (net.Listener, int) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		return l, l.Addr().(*net.TCPAddr).Port
	}
	taken, first := listen()
	defer taken.Close()
	free, second := listen()
	require.NoError(t, free.Close())
	both := []port{{first, "give it another --port"}, {second, "never said"}}
	c := judgePorts(t.Context(), both)
	judged(t, c, Warning, "is taken by ")
	require.Regexp(t, `^\d+ is taken by .+ \(process \d+\), \d+ free$`, c.Says)
	require.Contains(t, c.Remedy, "give it another --port")
	require.NotContains(t, c.Remedy, "never said")
	judged(t, judgePorts(t.Context(), both[1:]), OK, "free")
	require.NoError(t, loopback())
}

// Ensure that the ports that are looked at are those that commands take by themselves: the live page's, and
// those of the README's commands by hand.
func TestPortsAreThoseThatAreTaken(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, byHand, _ := strings.Cut(string(raw), "\n## By hand\n")
	byHand, _, _ = strings.Cut(byHand, "\n## ")
	raw, err = os.ReadFile("../live/config.go")
	require.NoError(t, err)
	want, have := map[string]bool{}, map[string]bool{}
	for _, match := range regexp.MustCompile(`(?:port |127\.0\.0\.1:)(\d{4,})`).FindAllStringSubmatch(byHand+string(raw), -1) {
		want[match[1]] = true
	}
	for _, p := range ports {
		have[strconv.Itoa(p.number)] = true
	}
	require.Equal(t, want, have)
}

func TestTimer(t *testing.T) {
	f := func(want Verdict, part string, found timing) {
		t.Helper()
		judged(t, judgeTimer(found), want, part)
	}
	const ms = time.Millisecond
	f(OK, "a sleep of 1ms is 100µs too long, 2ms at p99; the clock moves in steps of 40ns", timing{40, ms / 10, 2 * ms})
	f(Warning, "the timer is coarse", timing{ms / 2, 14 * ms, 16 * ms})
	f(Warning, "others take the processor", timing{40, ms / 10, 80 * ms})

	found := measureTimer(t.Context())
	require.Positive(t, found.resolution)
	require.Positive(t, found.latest)
	require.GreaterOrEqual(t, found.latest, found.late)
}

func TestRate(t *testing.T) {
	f := func(want Verdict, part string, s bench.Sustained, err error) {
		t.Helper()
		judged(t, judgeRate(s, err), want, part)
	}
	f(OK, "keep up with 12,000 events/s, and not with 36,000", bench.Sustained{Held: 12_000, Missed: 36_000}, nil)
	f(OK, "keep up with 36,000 events/s", bench.Sustained{Held: 36_000}, nil)
	f(Warning, "keep up with 1,333 events/s, and not with 4,000: take loads of 666 events/s at most",
		bench.Sustained{Held: 1333, Missed: 4000}, nil)
	f(Failed, "answers are not in time at 400 events/s", bench.Sustained{Missed: 400}, nil)
	f(Failed, "rate    wrong: windows: 'lambdakappa bench' says more", bench.Sustained{Held: 4000}, errors.New("wrong: windows"))
	f(Failed, "it died; its last log lines: no room: 'lambdakappa bench'", bench.Sustained{}, errors.New("it died; its last log lines:\none\nno room\n"))
}

// examined examines a machine whose rate is known, and keeps it in file.
func examined(t *testing.T, ctx context.Context, file string, s bench.Sustained, err error) (Report, error) {
	t.Helper()
	return Examine(ctx, Options{
		Folder: t.TempDir(), Temp: t.TempDir(), Stderr: io.Discard,
		file:    func() (string, error) { return file, nil },
		sustain: func(context.Context, Options) (bench.Sustained, error) { return s, err },
	})
}

// Ensure that what was measured can be read again, on this machine alone, and that a later failure does not
// leave the figure of an earlier success.
func TestTheRateIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "sustained.json")
	at := func() (string, error) { return file, nil }
	_, _, ok := read(at)
	require.False(t, ok, "nobody has measured")

	r, err := examined(t, t.Context(), file, bench.Sustained{Held: 12_000.4}, nil)
	require.NoError(t, err)
	require.Equal(t, 12_000, r.SustainedEventsPerSecond)
	require.Len(t, r.Checks, 7)
	rate, when, ok := read(at)
	require.True(t, ok)
	require.Equal(t, 12_000, rate)
	require.WithinDuration(t, time.Now(), when, time.Minute)

	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	other := strings.Replace(string(raw), `"host":"`, `"host":"not-`, 1)
	require.NoError(t, os.WriteFile(file, []byte(other), 0o644))
	_, _, ok = read(at)
	require.False(t, ok, "a rate of another machine, in a home that is shared")

	r, err = examined(t, t.Context(), file, bench.Sustained{Held: 12_000}, errors.New("wrong: windows"))
	require.NoError(t, err)
	require.Contains(t, r.Failed(), "rate")
	require.Zero(t, r.SustainedEventsPerSecond)
	_, _, ok = read(at)
	require.False(t, ok)
}

// Ensure that a rate that cannot be kept is said, and is no failure.
func TestARateThatCannotBeKept(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "a file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o644))
	r, err := examined(t, t.Context(), filepath.Join(blocked, "sustained.json"), bench.Sustained{Held: 12_000}, nil)
	require.NoError(t, err)
	judged(t, r.Checks[6], Warning, "could not be kept")
	require.Equal(t, 12_000, r.SustainedEventsPerSecond)
}

// Ensure that who is interrupted gets no report and keeps no rate.
func TestInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sustained.json")
	ctx, cancel := context.WithCancelCause(t.Context())
	pressed := errors.New("interrupt")
	_, err := Examine(ctx, Options{
		Folder: t.TempDir(), Temp: t.TempDir(), Stderr: io.Discard,
		file: func() (string, error) { return file, nil },
		sustain: func(context.Context, Options) (bench.Sustained, error) {
			cancel(pressed)
			return bench.Sustained{Held: 4000}, pressed
		},
	})
	require.ErrorIs(t, err, pressed)
	require.NoFileExists(t, file)
}

// Ensure that the rate is kept in the user's cache folder, and that there is none is an error.
func TestFile(t *testing.T) {
	path, err := File()
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(cache, "lambdakappa", "sustained.json"), path)
}
