package bench

import (
	"encoding/json"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/event"
	"lambdakappa/internal/proc"
)

// newSummary returns what is known before the first run.
func newSummary(o Options, f *folder) *result.Summary {
	r := event.DefaultRules()
	if o.Window > 0 {
		r.Window = o.Window.Milliseconds()
	}
	return &result.Summary{
		SchemaVersion: result.SchemaVersion,
		Command:       o.Command,
		Started:       f.name[:len(stampFormat)],
		Profile:       o.Profile,
		Seed:          o.Seed,
		Revision:      revision(),
		Machine:       machine(),
		Broker:        brokerOf(o),
		Settings: result.Settings{
			Partitions: partitions, WindowMs: r.Window, DisorderMs: r.DisorderBound,
			LatenessMs: r.AllowedLateness, FutureSkewMs: r.MaxFutureSkew,
			LingerMs: float64(linger) / float64(time.Millisecond),
			GOGC:     gogc(), GOMEMLIMIT: gomemlimit(),
		},
		Runs: []result.Run{},
	}
}

// linger is what both sides are given.
const linger = 5 * time.Millisecond

// machine says where it runs. What the system does not tell stays empty.
func machine() result.Machine {
	m := proc.ReadMachine()
	return result.Machine{
		OS: m.OS, Arch: m.Arch, CPU: m.CPU, Cores: m.Cores, MemBytes: m.MemBytes,
		GoVersion: m.GoVersion, Kernel: m.Kernel,
	}
}

func brokerOf(o Options) result.Broker {
	if len(o.Brokers) > 0 {
		return result.Broker{Kind: "kafka", Version: o.kafka}
	}
	return result.Broker{Kind: "embedded", Version: EmbeddedBroker()}
}

// EmbeddedBroker is the name and version of the broker that runs where there is no other.
func EmbeddedBroker() string { return "kfake " + moduleVersion("github.com/twmb/franz-go/pkg/kfake") }

// moduleVersion returns the version of a module that is built in.
func moduleVersion(path string) string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range build.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "unknown"
}

// revision names the source: from the build, or else from git where it is run from source.
func revision() string {
	var commit, dirty string
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, s := range build.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+dirty"
			}
		}
	}
	if commit != "" {
		return commit + dirty
	}
	out, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	commit = strings.TrimSpace(string(out))
	if changes, err := exec.Command("git", "status", "--porcelain").Output(); err != nil || len(changes) > 0 {
		commit += "+dirty"
	}
	return commit
}

// writeMachine leaves machine.json and command.txt.
func (d *driver) writeMachine() error {
	raw, err := json.MarshalIndent(d.summary.Machine, "", "  ")
	if err != nil {
		return err
	}
	if err := d.folder.write("machine.json", append(raw, '\n')); err != nil {
		return err
	}
	return d.folder.write("command.txt", []byte(d.opt.Command+"\n"))
}
