package fault

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The kinds of faults.
const (
	Kill       = "kill"        // SIGKILL; started again at once, or after For
	Stop       = "stop"        // SIGSTOP, and SIGCONT after For: a zombie when its group gives it up meanwhile
	Restart    = "restart"     // asked to end; started again at once, or after For
	Join       = "join"        // one more process of the target, to share its work
	Leave      = "leave"       // the process that joined last is asked to end
	BrokerDown = "broker-down" // SIGKILL of the embedded broker, or of one of a cluster; started again after For

	// Faults of a cluster that the driver may touch.
	BrokerStop    = "broker-stop"    // SIGSTOP of a broker, and SIGCONT after For: a zombie, once its session has expired
	BrokerCut     = "broker-cut"     // no other broker hears it, nor it them, for For; clients do
	BrokerFull    = "broker-full"    // what a broker writes is stored no more, as on a full disk; repaired after For
	BrokerRestart = "broker-restart" // every broker is asked to end and started again, one after the other
	BrokerJoin    = "broker-join"    // one more broker joins, and partitions move to it

	SlowDisk  = "slow-disk" // for For, storage takes BytesPerSecond
	Delay     = "delay"     // for For, the network takes Delay in each direction
	Cut       = "cut"       // for For, the network carries nothing, and connections are reset
	Retention = "retention" // the log forgets its oldest events, by OlderThan or Share
	Compact   = "compact"   // compacted topics are compacted
)

// Broker is the target of what happens to the log itself.
const Broker = "broker"

// A Step is one fault at one moment.
type Step struct {
	At     time.Duration `yaml:"at"` // since the workload began to be sent, by the wall clock
	Do     string        `yaml:"do"`
	Target string        `yaml:"target,omitempty"` // a component; for the network, none is all of them
	For    time.Duration `yaml:"for,omitempty"`    // how long it lasts

	Delay          time.Duration `yaml:"delay,omitempty"`
	BytesPerSecond int64         `yaml:"bytes_per_second,omitempty"`
	OlderThan      time.Duration `yaml:"older_than,omitempty"` // append time behind the newest of the partition
	Share          float64       `yaml:"share,omitempty"`      // of the offsets that the log holds, 0 to 1
}

// Ends is when the fault is over.
func (s Step) Ends() time.Duration { return s.At + s.For }

// String is the step as a scenario writes it: {at: 5s, do: kill, target: kappa process}.
func (s Step) String() string {
	fields := []string{"at: " + s.At.String(), "do: " + s.Do}
	if s.Target != "" {
		fields = append(fields, "target: "+s.Target)
	}
	for _, length := range []struct {
		name  string
		value time.Duration
	}{{"for", s.For}, {"delay", s.Delay}, {"older_than", s.OlderThan}} {
		if length.value != 0 {
			fields = append(fields, length.name+": "+length.value.String())
		}
	}
	if s.BytesPerSecond != 0 {
		fields = append(fields, "bytes_per_second: "+strconv.FormatInt(s.BytesPerSecond, 10))
	}
	if s.Share != 0 {
		fields = append(fields, "share: "+strconv.FormatFloat(s.Share, 'g', -1, 64))
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// Name is what happens, in words for a plot: "kill kappa process".
func (s Step) Name() string { return strings.TrimSpace(s.Do + " " + s.Target) }

// Format is a plan as a scenario writes it, one step a line.
func Format(plan []Step) string {
	var text strings.Builder
	for _, s := range plan {
		fmt.Fprintf(&text, "  - %s\n", s)
	}
	return text.String()
}

// An Error says which field of the faults cannot work, and what it takes.
type Error struct {
	Field string // "faults[2].at", as a path within the scenario's settings
	Says  string
}

func (e *Error) Error() string { return e.Field + ": " + e.Says }

func problem(field, format string, args ...any) *Error {
	return &Error{field, fmt.Sprintf(format, args...)}
}

// under puts the error below another path.
func (e *Error) under(path string) *Error {
	if e == nil {
		return nil
	}
	return &Error{path + "." + e.Field, e.Says}
}
