package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lambdakappa/bench/fault"
)

// startNetwork puts a proxy between every component of the arms and every broker. It is there from the
// start and for all of them, disturbed or not, so that no arm alone bears what the proxy costs.
func (s *system) startNetwork(ctx context.Context, components []string) error {
	known, err := s.log.Brokers(ctx)
	if err != nil {
		return err
	}
	// A broker may be named otherwise than it names itself.
	targets := append(strings.Split(s.brokers, ","), known...)
	slices.Sort(targets)
	targets = slices.Compact(targets)
	s.network = map[string][]*proxy{}
	for _, name := range components {
		for _, broker := range targets {
			p, err := startProxy(ctx, broker)
			if err != nil {
				return err
			}
			s.network[name] = append(s.network[name], p)
		}
	}
	return nil
}

// dialArgs lead a component through its proxies, if it has any.
func (s *system) dialArgs(component string) (args []string) {
	for _, p := range s.network[component] {
		args = append(args, "--dial", p.target+"="+p.addr())
	}
	return args
}

// disturbNetwork delays or cuts the way of a component to the brokers, or everybody's, and makes it
// good again.
func (s *system) disturbNetwork(ctx context.Context, step fault.Step) error {
	if step.Target != "" && s.network[step.Target] == nil {
		return fmt.Errorf("%s has no proxy", step.Target)
	}
	s.shape(step, true)
	defer s.shape(step, false)
	return rest(ctx, step.For)
}

func (s *system) shape(step fault.Step, disturbed bool) {
	for name, proxies := range s.network {
		if step.Target != "" && step.Target != name {
			continue
		}
		for _, p := range proxies {
			switch {
			case step.Do == fault.Cut:
				p.setCut(disturbed)
			case disturbed:
				p.setDelay(step.Delay)
			default:
				p.setDelay(0)
			}
		}
	}
}

func (s *system) closeNetwork() error {
	var errs []error
	for _, proxies := range s.network {
		for _, p := range proxies {
			errs = append(errs, p.close())
		}
	}
	return errors.Join(errs...)
}
