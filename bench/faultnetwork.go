package bench

import (
	"context"
	"errors"
	"fmt"

	"lambdakappa/bench/fault"
)

// startNetwork puts a proxy between every component of the arms and the broker. It is there from the
// start and for all of them, disturbed or not, so that no arm alone bears what the proxy costs.
func (s *system) startNetwork(ctx context.Context, components []string) error {
	s.network = map[string]*proxy{}
	for _, name := range components {
		p, err := startProxy(ctx, s.brokers)
		if err != nil {
			return err
		}
		s.network[name] = p
	}
	return nil
}

// dialArgs lead a component through its proxy, if it has one.
func (s *system) dialArgs(component string) []string {
	p := s.network[component]
	if p == nil {
		return nil
	}
	return []string{"--dial", s.brokers + "=" + p.addr()}
}

// disturbNetwork delays or cuts the way of a component to the broker, or everybody's, and makes it
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
	for name, p := range s.network {
		switch {
		case step.Target != "" && step.Target != name:
		case step.Do == fault.Cut:
			p.setCut(disturbed)
		case disturbed:
			p.setDelay(step.Delay)
		default:
			p.setDelay(0)
		}
	}
}

func (s *system) closeNetwork() error {
	var errs []error
	for _, p := range s.network {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}
