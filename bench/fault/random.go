package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A Random draws kills by chance. They are dealt evenly over the time and in rounds over the
// targets, each time in another order: nobody is killed a second time before everybody was once.
type Random struct {
	Kills int           `yaml:"kills"` // how many; or
	Each  int           `yaml:"each"`  // how many of every target; or
	Every time.Duration `yaml:"every"` // one in each such length
	// Targets are those to kill; none is every component. The broker, or one of a cluster, has to be named,
	// and is away for a second.
	Targets []string      `yaml:"targets"`
	From    time.Duration `yaml:"from"`  // the first part of the workload that is left alone
	Until   time.Duration `yaml:"until"` // the end of it is, from here on; 0 is none of it
}

func (r Random) none() bool {
	return r.Kills == 0 && r.Each == 0 && r.Every == 0 && len(r.Targets) == 0 && r.From == 0 && r.Until == 0
}

func (r Random) validate(targets []string, span time.Duration) *Error {
	switch {
	case r.none():
		return nil
	case r.Kills < 0:
		return problem("kills", "%d: must not be negative", r.Kills)
	case r.Each < 0:
		return problem("each", "%d: must not be negative", r.Each)
	case r.Every < 0:
		return problem("every", "%s: must not be negative", r.Every)
	case min(r.Kills, 1)+min(r.Each, 1)+int(min(r.Every, 1)) != 1:
		return problem("kills", "random takes one of kills, each and every")
	case r.From < 0 || r.From >= span:
		return problem("from", "%s: must be within the %s in which the workload is sent", r.From, span)
	case r.Until != 0 && r.Until <= r.From:
		return problem("until", "%s: must be after from (%s)", r.Until, r.From)
	case r.Until > span:
		return problem("until", "%s: the workload is sent within %s", r.Until, span)
	case r.Every > r.until(span)-r.From:
		return problem("every", "%s: is longer than the %s in which it may happen", r.Every, r.until(span)-r.From)
	case len(targets) == 0:
		return problem("targets", "nothing runs that could be killed")
	}
	for i, t := range r.Targets {
		if t != Broker && !slices.Contains(targets, t) {
			return unknownTarget(fmt.Sprintf("targets[%d]", i), t, targets)
		}
	}
	return nil
}

func (r Random) until(span time.Duration) time.Duration {
	if r.Until == 0 {
		return span
	}
	return r.Until
}

// Plan is the whole of what will happen, in order: the steps that are written, and those that the
// seed draws around them. The same arguments give the same plan.
func Plan(
	steps []Step, random Random, seed uint64, targets []string, span time.Duration,
) ([]Step, error) {
	if err := Validate(steps, random, targets, span); err != nil {
		return nil, err
	}
	plan := slices.Clone(steps)
	if !random.none() {
		var err error
		if plan, err = random.draw(plan, seed, targets, span); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(plan, func(a, b Step) int { return int(a.At - b.At) })
	return plan, nil
}

// tries is how often a kill is drawn again that contradicts another step. Within a slot that has
// any room worth the name, a hundred draws miss it with a chance of less than one in a thousand.
const tries = 100

// draw adds the kills to a plan.
func (r Random) draw(
	plan []Step, seed uint64, targets []string, span time.Duration,
) ([]Step, error) {
	if len(r.Targets) > 0 {
		targets = r.Targets
	}
	length, n := r.until(span)-r.From, r.Kills+r.Each*len(targets)
	if r.Every > 0 {
		n = int(length / r.Every)
	}
	random := rand.New(rand.NewPCG(seed, 0x6661756c74))
	slot := float64(length) / float64(n)
	var round []string
	for i := range n {
		if len(round) == 0 {
			round = slices.Clone(targets)
			random.Shuffle(len(round), func(a, b int) { round[a], round[b] = round[b], round[a] })
		}
		kill, ok := killOf(round[0]), false
		for try := 0; try < tries && !ok; try++ {
			at := r.From + time.Duration((float64(i)+random.Float64())*slot)
			kill.At = at.Truncate(time.Millisecond) // as it is printed
			ok = !slices.ContainsFunc(plan, kill.contradicts)
		}
		if !ok {
			return nil, problem("random.kills", "%s finds no room beside the other faults: take fewer", kill.Name())
		}
		plan, round = append(plan, kill), round[1:]
	}
	return plan, nil
}

// brokerAway is how long a broker is down that was drawn: long enough to be missed.
const brokerAway = time.Second

func killOf(target string) Step {
	if target == Broker {
		return Step{Do: BrokerDown, For: brokerAway}
	}
	return Step{Do: Kill, Target: target}
}
