package amitest

import (
	"fmt"
	"slices"
	"strings"
)

// handle answers one action as Asterisk 22.10 does, word by word. The server's mu is held.
func (c *session) handle(action map[string]string) {
	s, name := c.server, action["Action"]
	s.actions = append(s.actions, name)
	allowed := c.fault != NoRights || !slices.Contains([]string{"QueueAdd", "QueueRemove", "QueuePause"}, name)
	switch {
	case name == "Challenge" && c.fault == NoChallenge:
		c.response(action, "Error", "Message", "Must specify AuthType")
	case name == "Challenge":
		c.response(action, "Success", "Challenge", challenge)
	case name == "Login":
		c.login(action)
	case !c.loggedIn || !allowed:
		c.response(action, "Error", "Message", "Permission denied")
	case name == "ListCommands":
		c.list(action)
	case name == "Ping":
		c.response(action, "Success", "Ping", "Pong", "Timestamp", "1795828164.280292")
	case name == "QueueStatus":
		c.status(action)
	case name == "QueueAdd":
		c.add(action)
	case name == "QueueRemove":
		c.remove(action)
	case name == "QueuePause":
		c.pause(action)
	case name == "Setvar" && (c.fault == NoSetvar || c.fault == NoRights):
		c.response(action, "Error", "Message", "Permission denied")
	case name == "Setvar":
		if !strings.HasPrefix(action["Value"], "available,") {
			c.response(action, "Error", "Message", "Variable not set")
			return
		}
		s.state[action["Variable"]] = action["Value"]
		c.response(action, "Success", "Message", "Variable Set")
	default:
		c.response(action, "Error", "Message", "Invalid/unknown command: "+name+". Use Action: ListCommands to show available commands.")
	}
}

func (c *session) login(action map[string]string) {
	s := c.server
	plain := action["Secret"] == s.secret && c.fault == NoChallenge
	if action["Username"] != s.user || !plain && action["Key"] != key(s.secret) {
		c.response(action, "Error", "Message", "Authentication failed")
		c.send(cut)
		return
	}
	c.loggedIn = true
	c.response(action, "Success", "Message", "Authentication accepted")
	switch c.fault {
	case Silent:
		c.mute = true
	case Flood:
		for range 64 {
			c.send("Event: Flood\r\n" + strings.Repeat("Line: "+strings.Repeat("x", 4000)+"\r\n", 4))
		}
	}
}

func (c *session) list(action map[string]string) {
	fields := []string{"Ping", "Keepalive command.  (Priv: <none>)"}
	if c.fault != NoQueues {
		fields = append(fields, "QueueStatus", "Show queue status.  (Priv: <none>)")
	}
	if c.fault != NoQueues && c.fault != NoRights {
		for _, name := range []string{"QueueAdd", "QueueRemove", "QueuePause"} {
			fields = append(fields, name, "(Priv: agent,all)")
		}
	}
	if c.fault != NoSetvar && c.fault != NoRights {
		fields = append(fields, "Setvar", "Sets a channel variable or function value.  (Priv: call,all)")
	}
	c.response(action, "Success", fields...)
}

// status is the list of all queues. Between its queues others may be heard: nobody holds the lock of all.
func (c *session) status(action map[string]string) {
	if c.mute {
		return
	}
	s, id := c.server, []string{"ActionID", action["ActionID"]}
	c.response(action, "Success", "EventList", "start", "Message", "Queue status will follow")
	items := 0
	item := func(kind string, fields ...string) {
		c.send(text(slices.Concat([]string{"Event", kind}, fields, id)...))
		items++
	}
	for _, queue := range s.queues {
		item("QueueParams", "Queue", queue, "Max", "0", "Strategy", "rrmemory", "Calls", fmt.Sprint(len(s.callers[queue])), "Holdtime", "4", "TalkTime", "90",
			"Completed", "7", "Abandoned", "2", "ServiceLevel", "30", "ServicelevelPerf", "85.7", "ServicelevelPerf2", "80.0", "Weight", "0")
		switch c.fault {
		case SilentInList:
			c.mute = true
			return
		case CutInList:
			c.send("Event: QueueMember\r\nQueue: " + queue + "\r\nName: 47")
			c.send(cut)
			return
		}
		for _, m := range s.members[queue] {
			item("QueueMember", memberFields(queue, m, "Name", "Location")...)
		}
		for i, uniqueid := range s.callers[queue] {
			item("QueueEntry", "Queue", queue, "Position", fmt.Sprint(i+1), "Channel", "PJSIP/carrier-00000001", "Uniqueid", uniqueid,
				"CallerIDNum", "028415551234", "CallerIDName", "Erika Müller", "Wait", "12", "Priority", "0")
		}
	}
	c.send(text("Event", "QueueStatusComplete", "ActionID", action["ActionID"], "EventList", "Complete", "ListItems", fmt.Sprint(items)))
}

func (c *session) add(action map[string]string) {
	s, queue := c.server, action["Queue"]
	if !slices.Contains(s.queues, queue) {
		c.response(action, "Error", "Message", "Unable to add interface to queue: No such queue")
		return
	}
	if s.find(queue, action["Interface"]) >= 0 {
		c.response(action, "Error", "Message", "Unable to add interface: Already there")
		return
	}
	m := Member{Interface: action["Interface"], Name: action["MemberName"], Paused: action["Paused"] == "true", Reason: action["Reason"]}
	if m.Name == "" {
		m.Name = m.Interface
	}
	s.members[queue] = append(s.members[queue], m)
	c.response(action, "Success", "Message", "Added interface to queue")
	s.tell(event("QueueMemberAdded", memberFields(queue, m, "MemberName", "Interface")...))
}

func (c *session) remove(action map[string]string) {
	s, queue := c.server, action["Queue"]
	at := s.find(queue, action["Interface"])
	switch {
	case !slices.Contains(s.queues, queue):
		c.response(action, "Error", "Message", "Unable to remove interface from queue: No such queue")
	case at < 0:
		c.response(action, "Error", "Message", "Unable to remove interface: Not there")
	case s.members[queue][at].Static:
		c.response(action, "Error", "Message", "Member not dynamic")
	default:
		m := s.members[queue][at]
		s.members[queue] = slices.Delete(s.members[queue], at, at+1)
		c.response(action, "Success", "Message", "Removed interface from queue")
		s.tell(event("QueueMemberRemoved", memberFields(queue, m, "MemberName", "Interface")...))
	}
}

func (c *session) pause(action map[string]string) {
	s, found := c.server, false
	for _, queue := range s.queues {
		at := s.find(queue, action["Interface"])
		if at < 0 || action["Queue"] != "" && action["Queue"] != queue {
			continue
		}
		found = true
		m := &s.members[queue][at]
		m.Paused, m.Reason = action["Paused"] == "true", action["Reason"]
		s.tell(event("QueueMemberPause", memberFields(queue, *m, "MemberName", "Interface")...))
	}
	switch {
	case !found:
		c.response(action, "Error", "Message", "Interface not found")
	case action["Paused"] == "true":
		c.response(action, "Success", "Message", "Interface paused successfully")
	default:
		c.response(action, "Success", "Message", "Interface unpaused successfully")
	}
}

func (s *Server) find(queue, member string) int {
	return slices.IndexFunc(s.members[queue], func(m Member) bool { return m.Interface == member })
}

// memberFields are those of a member; the list and the events have two names for two of them.
func memberFields(queue string, m Member, name, location string) []string {
	paused, membership := "0", "dynamic"
	if m.Paused {
		paused = "1"
	}
	if m.Static {
		membership = "static"
	}
	return []string{"Queue", queue, name, m.Name, location, m.Interface, "StateInterface", m.Interface, "Membership", membership, "Penalty", "0",
		"CallsTaken", "3", "LastCall", "1795828100", "LastPause", "0", "LoginTime", "1795828000", "InCall", "0", "Status", "1", "Paused", paused,
		"PausedReason", m.Reason, "Wrapuptime", "2"}
}
