package eventlog_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"lambdakappa/internal/eventlog"
)

// The rights of a user who may do all that a run does. Each is one that a cluster's owner can forget.
var rights = map[string]kfake.ACL{
	"create topics":          allow(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationCreate),
	"describe topics":        allow(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationDescribe),
	"describe configs":       allow(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationDescribeConfigs),
	"write topics":           allow(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationWrite),
	"read topics":            allow(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationRead),
	"delete topics":          allow(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationDelete),
	"read groups":            allow(kmsg.ACLResourceTypeGroup, kmsg.ACLOperationRead),
	"delete groups":          allow(kmsg.ACLResourceTypeGroup, kmsg.ACLOperationDelete),
	"write transactional id": allow(kmsg.ACLResourceTypeTransactionalId, kmsg.ACLOperationWrite),
}

func allow(kind kmsg.ACLResourceType, operation kmsg.ACLOperation) kfake.ACL {
	return kfake.ACL{
		Resource: kind, Name: "*", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: operation, Allow: true,
	}
}

// allowed is a log for a user who has all rights but some.
func allowed(t *testing.T, but ...string) *eventlog.Log {
	var acls []kfake.ACL
	for right, acl := range rights {
		if !slices.Contains(but, right) {
			acls = append(acls, acl)
		}
	}
	addr := securedBroker(t, kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser(eventlog.Plain, "root", "root"), kfake.User(eventlog.Plain, "alice", secret, acls...))
	l, err := eventlog.Open(t.Context(), eventlog.Config{
		Brokers:  []string{addr},
		Security: eventlog.Security{Mechanism: eventlog.Plain, User: "alice", Password: secret},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// Ensure that the probe names what a user may not do, and what it is needed for, and nothing else but what
// follows from it; and that it needs no right that this list does not have.
func TestProbeNamesMissingRights(t *testing.T) {
	t.Parallel()
	require.NoError(t, allowed(t).Probe(t.Context()))
	f := func(missing string, want ...string) {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			err := allowed(t, missing).Probe(t.Context())
			require.Error(t, err)
			require.NotContains(t, err.Error(), secret)
			require.Less(t, time.Since(began), 10*time.Second, "it was tried again and again")
			var told []string
			for _, line := range strings.Split(err.Error(), "\n")[1:] {
				if what, _, begins := strings.Cut(line, " ("); begins && strings.HasPrefix(what, "  ") {
					told = append(told, strings.TrimSpace(what))
				}
			}
			require.Equal(t, want, told, "%v", err)
		})
	}
	f("create topics", "create topics")
	f("write topics", "append with acknowledgement by all replicas")
	f("read topics", "read", "join a group and commit", "transactions")
	f("read groups", "join a group and commit", "transactions")
	f("write transactional id", "transactions")
	f("delete topics", "delete records", "delete topics")
}

// Ensure that a cluster that is too old is told so, and not something that follows from it.
func TestOldBrokers(t *testing.T) {
	t.Parallel()
	addr := func(v *kversion.Versions) string { return securedBroker(t, kfake.MaxVersions(v)) }
	_, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{addr(kversion.V2_2_0())}})
	require.ErrorContains(t, err, "its brokers are too old: they know no Metadata of version 8, "+
		"which Apache Kafka 2.3 and later ones do")
	require.NotContains(t, err.Error(), "cannot be reached")

	l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{addr(kversion.V2_4_0())}})
	require.NoError(t, err)
	defer l.Close()
	err = l.Probe(t.Context())
	require.ErrorContains(t, err, "transactions (the guarantee exactly-once")
	require.ErrorContains(t, err, "they know no TxnOffsetCommit of version 3, which Apache Kafka 2.5")
	require.Equal(t, 1, strings.Count(err.Error(), "\n"), "%v", err)

	l, err = eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{addr(kversion.V2_5_0())}})
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, l.Probe(t.Context()))
}

// Ensure that a cluster is known by the release whose requests it answers.
func TestVersion(t *testing.T) {
	v, err := newLog(t, "cars", 1).Version(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `v\d+\.\d+`, v)
}
