package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lambdakappa/bench/cluster"
	"lambdakappa/bench/fault"
	"lambdakappa/internal/eventlog"
)

// disturbNodes carries a fault of a cluster's brokers out, and returns when the cluster is whole again. It
// is made whole also when the run was interrupted: the cluster is the user's.
func (s *system) disturbNodes(ctx context.Context, step fault.Step) error {
	c, err := cluster.Find(s.opt.Cluster)
	if err != nil {
		return err
	}
	switch step.Do {
	case fault.BrokerRestart:
		return s.rollNodes(ctx, c)
	case fault.BrokerJoin:
		return s.joinNode(ctx, c)
	}
	n, err := s.nextNode(ctx, c)
	if err != nil {
		return err
	}
	s.progress.say(step.Do + ": " + n.Name())
	hurt := map[string]func() error{
		fault.BrokerDown: n.Kill, fault.BrokerStop: n.Suspend, fault.BrokerCut: n.Isolate, fault.BrokerFull: n.Fill,
	}
	if err := hurt[step.Do](); err != nil {
		return err
	}
	ended := rest(ctx, step.For)
	return errors.Join(ended, mend(ctx, c, n, step.Do))
}

// nodeLimit is how long a cluster may take to be whole again after a fault of a node: some seconds on a quiet machine, and
// minutes where a Java machine has to share two cores with a dozen processes.
const nodeLimit = 3 * time.Minute

// mend makes a node whole again that was hurt, and waits until the cluster is.
func mend(ctx context.Context, c *cluster.Cluster, n *cluster.Node, hurt string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), nodeLimit)
	defer cancel()
	switch hurt {
	case fault.BrokerStop:
		return errors.Join(n.Resume(), inSync(ctx, c))
	case fault.BrokerCut:
		return errors.Join(n.Rejoin(), inSync(ctx, c))
	}
	// With a full disk it has ended by itself, if it has tried to store something.
	return errors.Join(n.Kill(), n.Start(ctx), inSync(ctx, c))
}

// inSync waits until all nodes are there, with all copies: before, the next one must not go.
func inSync(ctx context.Context, c *cluster.Cluster) error {
	if err := c.Ready(ctx); err != nil {
		return err
	}
	return c.InSync(ctx)
}

// linked reports whether the nodes of a cluster reach each other over links that can be cut.
func linked(dir string) bool {
	c, err := cluster.Find(dir)
	return err == nil && c.Nodes()[0].LinkPort > 0
}

// rollNodes restarts every node as an upgrade does, the next one when the one before is back.
func (s *system) rollNodes(ctx context.Context, c *cluster.Cluster) error {
	for _, n := range c.Nodes() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.progress.say("restart " + n.Name())
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), nodeLimit)
		err := errors.Join(n.Stop(back), n.Start(back), inSync(back, c))
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// joinNode adds a broker and gives it its share of the run's partitions. It leaves with the run.
func (s *system) joinNode(ctx context.Context, c *cluster.Cluster) error {
	n, err := c.Add(ctx)
	if n != nil {
		s.addedNodes++
	}
	if err != nil {
		return err
	}
	s.progress.say("partitions move to " + n.Name())
	return s.log.Spread(ctx)
}

// dismissNodes has the brokers leave that joined in this run; its topics are gone by then.
func (s *system) dismissNodes(ctx context.Context) error {
	if s.addedNodes == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), nodeLimit)
	defer cancel()
	c, err := cluster.Find(s.opt.Cluster)
	if err != nil {
		return err
	}
	for ; s.addedNodes > 0; s.addedNodes-- {
		nodes := c.Nodes()
		if err := c.Dismiss(ctx, nodes[len(nodes)-1]); err != nil {
			return err
		}
	}
	return nil
}

// nextNode is in turn the leader of the log's first partition and the active controller, which are the two
// that somebody has to be elected for.
func (s *system) nextNode(ctx context.Context, c *cluster.Cluster) (*cluster.Node, error) {
	s.hurtNodes++
	if s.hurtNodes%2 == 0 {
		id, err := s.log.Controller(ctx)
		if err != nil {
			return nil, err
		}
		if n := c.Node(id); n != nil {
			return n, nil
		}
		return nil, fmt.Errorf("controller %d is no node of %s", id, s.opt.Cluster)
	}
	addr, err := s.log.Leader(ctx, eventlog.CarsTopic, 0)
	if err != nil {
		return nil, err
	}
	if n := c.NodeAt(addr); n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("leader %s is no node of %s", addr, s.opt.Cluster)
}
