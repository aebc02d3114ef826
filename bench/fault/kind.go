package fault

// A lane is what two faults must not do at the same time: each lane of a target takes one.
type lane int

const (
	process lane = iota // of the target
	network             // between the target and the broker
	disk                // of the machine
	members             // of the target's group
)

// A kind is what a fault takes and where it happens.
type kind struct {
	lane   lane
	fields string // that have to be there, beside at and do
	may    string // that may be there
	broker bool   // its target is the broker, and need not be named
	every  bool   // no target is all of them
	starts bool   // a process is started, which takes a broker that answers
}

// kinds holds every fault. Retention is in the lane of the broker's process, since a broker that is
// down forgets nothing.
var kinds = map[string]kind{
	Kill:          {fields: "target", may: "for", starts: true},
	Stop:          {fields: "target for"},
	Restart:       {fields: "target", may: "for", starts: true},
	Join:          {lane: members, fields: "target", starts: true},
	Leave:         {lane: members, fields: "target"},
	BrokerDown:    {fields: "for", may: "target", broker: true},
	BrokerStop:    {fields: "for", may: "target", broker: true},
	BrokerCut:     {fields: "for", may: "target", broker: true},
	BrokerFull:    {fields: "for", may: "target", broker: true},
	BrokerRestart: {may: "target", broker: true},
	BrokerJoin:    {may: "target", broker: true},
	SlowDisk:      {lane: disk, fields: "for bytes_per_second", every: true},
	Delay:         {lane: network, fields: "for delay", may: "target", every: true},
	Cut:           {lane: network, fields: "for", may: "target", every: true},
	Retention:     {may: "target older_than share", broker: true},
	Compact:       {may: "target", broker: true},
}

// order is that in which errors list the kinds.
var order = []string{
	Kill, Stop, Restart, Join, Leave, BrokerDown, BrokerStop, BrokerCut, BrokerFull, BrokerRestart, BrokerJoin, SlowDisk,
	Delay, Cut, Retention, Compact,
}

// target is whom the step happens to; "" is everybody.
func (s Step) target() string {
	if kinds[s.Do].broker {
		return Broker
	}
	return s.Target
}

// overlaps reports whether two faults are there at the same moment. Both ends count: what comes
// back at the very moment at which it is killed has not come back.
func (s Step) overlaps(o Step) bool { return s.At <= o.Ends() && o.At <= s.Ends() }

// contradicts reports whether two faults cannot both happen.
func (s Step) contradicts(o Step) bool {
	if !s.overlaps(o) {
		return false
	}
	a, b := kinds[s.Do], kinds[o.Do]
	if a.starts && o.Do == BrokerDown || b.starts && s.Do == BrokerDown {
		return true
	}
	same := s.target() == o.target() || a.every && s.Target == "" || b.every && o.Target == ""
	return a.lane == b.lane && same
}

// Lanes parts a plan into what has to happen one after the other, each in order.
func Lanes(plan []Step) [][]Step {
	type key struct {
		lane   lane
		target string
	}
	at := map[key]int{}
	var lanes [][]Step
	for _, s := range plan {
		k := key{kinds[s.Do].lane, s.target()}
		i, known := at[k]
		if !known {
			i = len(lanes)
			at[k], lanes = i, append(lanes, nil)
		}
		lanes[i] = append(lanes[i], s)
	}
	return lanes
}
