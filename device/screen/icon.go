package screen

import (
	"freizeichen/device/callcentre"
	"freizeichen/hal"
	"freizeichen/sip"
)

// An icon is drawn by hand: rows of '#' and '.', 8 pixels wide at scale 1. Every icon stands beside its
// meaning in words, or for words that Text has.
type icon string

const iconSize = 8

const (
	iconRegistered icon = "" +
		"........" +
		".......#" +
		"......##" +
		"#....##." +
		"##..##.." +
		".####..." +
		"..##...." +
		"........"
	iconRegistering icon = "" +
		"........" +
		"........" +
		"........" +
		"##.##.##" +
		"##.##.##" +
		"........" +
		"........" +
		"........"
	iconUnregistered icon = "" +
		"........" +
		"##....##" +
		"###..###" +
		".######." +
		"..####.." +
		".######." +
		"###..###" +
		"##....##"
	iconHandset icon = "" +
		"##......" +
		"###....." +
		"##......" +
		".##....." +
		".###.##." +
		"..######" +
		"...####." +
		"....##.."
	iconEnded icon = "" +
		"........" +
		"..####.." +
		".######." +
		"########" +
		"###..###" +
		"##....##" +
		"........" +
		"........"
	iconIncoming icon = "" +
		"......##" +
		"#....##." +
		"#...##.." +
		"##.##..." +
		"####...." +
		"###....." +
		"######.." +
		"........"
	iconOutgoing icon = "" +
		"..######" +
		".....###" +
		"....####" +
		"...##.##" +
		"..##...#" +
		".##....#" +
		"##......" +
		"........"
	iconMissed icon = "" +
		"###...##" +
		"##...##." +
		"#.#.##.." +
		"...##..." +
		"........" +
		".######." +
		"########" +
		"##....##"
	iconMuted icon = "" +
		"#..##..." +
		"##.###.." +
		".##.##.." +
		"#.##.#.." +
		"##.##.#." +
		".##.##.." +
		"...#.##." +
		"..####.#"
	iconHold icon = "" +
		".##..##." +
		".##..##." +
		".##..##." +
		".##..##." +
		".##..##." +
		".##..##." +
		".##..##." +
		"........"
	iconTransfer icon = "" +
		".....#.." +
		".....##." +
		"########" +
		"##...##." +
		"##...#.." +
		"##......" +
		"##......" +
		"........"
	iconHeadset icon = "" +
		"..####.." +
		".#....#." +
		"#......#" +
		"##....##" +
		"##....##" +
		"##....##" +
		"......#." +
		"...###.."
	iconSpeaker icon = "" +
		"...#..#." +
		"..##...#" +
		"####.#.#" +
		"####.#.#" +
		"####.#.#" +
		"####.#.#" +
		"..##...#" +
		"...#..#."
	iconReady icon = "" +
		"........" +
		".##....." +
		".####..." +
		".######." +
		".######." +
		".####..." +
		".##....." +
		"........"
	iconSignedOut icon = "" +
		"...##..." +
		".#.##.#." +
		"##.##.##" +
		"#..##..#" +
		"#......#" +
		"##....##" +
		".######." +
		"..####.."
	iconWrapUp icon = "" +
		".....##." +
		"....####" +
		"...#####" +
		"..#####." +
		".#####.." +
		"#.###..." +
		"##.#...." +
		"###....."
	iconUnsent icon = "" +
		"...##..." +
		"..####.." +
		".######." +
		"...##..." +
		"...##..." +
		"........" +
		"########" +
		"########"
	iconGood icon = "" +
		"..####.." +
		".######." +
		"######.#" +
		"#####.##" +
		"#.##.###" +
		"##..####" +
		".######." +
		"..####.."
	iconNear icon = "" +
		"..####.." +
		".#..###." +
		"#...####" +
		"#...####" +
		"#...####" +
		"#...####" +
		".#..###." +
		"..####.."
	iconBad icon = "" +
		"########" +
		"#.####.#" +
		"##.##.##" +
		"###..###" +
		"###..###" +
		"##.##.##" +
		"#.####.#" +
		"########"
	iconNoData icon = "" +
		".#.##.#." +
		"#......#" +
		"........" +
		"#......#" +
		"#......#" +
		"........" +
		"#......#" +
		".#.##.#."
	iconMenu icon = "" +
		"........" +
		"##.#####" +
		"##.#####" +
		"........" +
		"##.#####" +
		"##.#####" +
		"........" +
		"........"
	iconNotice icon = "" +
		"...##..." +
		"...##..." +
		"..#..#.." +
		"..#..#.." +
		".##..##." +
		".######." +
		"###..###" +
		"########"
	iconPaper icon = "" +
		"........" +
		"........" +
		"..####.." +
		"..####.." +
		"..####.." +
		"..####.." +
		"........" +
		"........"
	iconOffice icon = "" +
		"...##..." +
		"..####.." +
		".######." +
		"########" +
		".#.##.#." +
		".#.##.#." +
		".#.##.#." +
		"########"
	iconOpen icon = "" +
		"..####.." +
		".#..#.#." +
		"#...#..#" +
		"#...#..#" +
		"#...##.#" +
		"#......#" +
		".#....#." +
		"..####.."
	iconBell icon = "" +
		"...##..." +
		"..####.." +
		".######." +
		".######." +
		".######." +
		"########" +
		"........" +
		"...##..."
)

// routeIcon is the icon of a route, none for hal.Silent.
func routeIcon(route hal.Route) icon {
	switch route {
	case hal.Handset:
		return iconHandset
	case hal.Headset:
		return iconHeadset
	case hal.Speaker:
		return iconSpeaker
	}
	return ""
}

// agentIcon is the icon of what the agent does.
func agentIcon(state sip.AgentState) icon {
	switch state {
	case sip.Ready:
		return iconReady
	case sip.Paused:
		return iconHold
	case sip.WrapUp:
		return iconWrapUp
	}
	return iconSignedOut
}

// lightIcon is the shape of a traffic light: a disc with a tick, half a disc, a square with a cross.
func lightIcon(light callcentre.Light) icon {
	switch light {
	case callcentre.LightGood:
		return iconGood
	case callcentre.LightNear:
		return iconNear
	case callcentre.LightBad:
		return iconBad
	}
	return ""
}

// lineIcon marks a line of a card by its kind.
func lineIcon(kind callcentre.LineKind) icon {
	switch kind {
	case callcentre.NoticeLine:
		return iconNotice
	case callcentre.PaperLine:
		return iconPaper
	case callcentre.OfficeLine:
		return iconOffice
	case callcentre.OpenLine:
		return iconOpen
	}
	return ""
}
