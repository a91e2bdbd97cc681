package workspace

// The applications whose activities say something of users, groups and memberships. Everything that the last one tells is in
// the second as well, so nobody reads it; it is in the table because somebody will ask.
const (
	adminJournal  = "admin"
	groupsJournal = "groups_enterprise"
	groupsUI      = "groups"
)

// effect says what an event makes stale.
type effect struct {
	of    stale
	group string   // the parameter that names the group
	keys  []string // the parameters that name the user, the member or, of aGroup, the groups
}

type stale int

const (
	nothing      stale = iota // known, and changes nothing that decides
	aUser                     // keys name it, by its old address and its new one
	aGroup                    // keys name it likewise
	aMembership               // of keys in group
	actorsMember              // of the actor in group
	allMembers                // of group, or of every group where none is named
	aDeletion                 // of a user: an address leads nowhere any more
	everybody                 // users that nobody names
)

const (
	userEmail  = "USER_EMAIL"
	groupEmail = "GROUP_EMAIL"
	newValue   = "NEW_VALUE"
)

// events is what each event means, by application and name. A role makes no difference, but where it is given together with
// a membership it may be the only word of it. An invitation, a request and its refusal are no membership. Where a name
// stands with nothing, it is so that an event that is not here is one that Google has added.
//
// Sources: Google's appendices of admin events (group and user settings), groups_enterprise and groups events.
var events = map[string]map[string]effect{
	adminJournal: {
		"CREATE_GROUP":                          {of: aGroup, keys: []string{groupEmail}},
		"DELETE_GROUP":                          {of: aGroup, keys: []string{groupEmail}},
		"CHANGE_GROUP_EMAIL":                    {of: aGroup, keys: []string{groupEmail, newValue}},
		"CHANGE_GROUP_NAME":                     {of: aGroup, keys: []string{groupEmail}},
		"ADD_GROUP_MEMBER":                      {of: aMembership, group: groupEmail, keys: []string{userEmail}},
		"REMOVE_GROUP_MEMBER":                   {of: aMembership, group: groupEmail, keys: []string{userEmail}},
		"UPDATE_GROUP_MEMBER":                   {of: aMembership, group: groupEmail, keys: []string{userEmail}},
		"GROUP_MEMBER_BULK_UPLOAD":              {of: allMembers},
		"CHANGE_GROUP_DESCRIPTION":              {of: nothing},
		"UPDATE_GROUP_MEMBER_DELIVERY_SETTINGS": {of: nothing},
		"UPDATE_GROUP_MEMBER_DELIVERY_SETTINGS_CAN_EMAIL_OVERRIDE": {of: nothing},
		"CHANGE_GROUP_SETTING":       {of: nothing},
		"WHITELISTED_GROUPS_UPDATED": {of: nothing},
		"GROUP_LIST_DOWNLOAD":        {of: nothing},
		"GROUP_MEMBERS_DOWNLOAD":     {of: nothing},

		"CREATE_USER":                 {of: aUser, keys: []string{userEmail}},
		"UNDELETE_USER":               {of: aUser, keys: []string{userEmail}},
		"SUSPEND_USER":                {of: aUser, keys: []string{userEmail}},
		"UNSUSPEND_USER":              {of: aUser, keys: []string{userEmail}},
		"ARCHIVE_USER":                {of: aUser, keys: []string{userEmail}},
		"UNARCHIVE_USER":              {of: aUser, keys: []string{userEmail}},
		"RENAME_USER":                 {of: aUser, keys: []string{newValue, userEmail}},
		"ADD_NICKNAME":                {of: aUser, keys: []string{userEmail}},
		"REMOVE_NICKNAME":             {of: aUser, keys: []string{userEmail}},
		"CHANGE_FIRST_NAME":           {of: aUser, keys: []string{userEmail}},
		"CHANGE_LAST_NAME":            {of: aUser, keys: []string{userEmail}},
		"CHANGE_DISPLAY_NAME":         {of: aUser, keys: []string{userEmail}},
		"DELETE_USER":                 {of: aDeletion},
		"BULK_UPLOAD":                 {of: everybody},
		"USERS_BULK_UPLOAD":           {of: everybody},
		"UNMANAGED_USERS_BULK_UPLOAD": {of: everybody},
		"MOVE_USER_TO_ORG_UNIT":       {of: nothing},
		"GRANT_ADMIN_PRIVILEGE":       {of: nothing},
		"REVOKE_ADMIN_PRIVILEGE":      {of: nothing},
	},
	groupsJournal: {
		"add_member":                 {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"remove_member":              {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"add_member_role":            {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"remove_member_role":         {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"approve_join_request":       {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"ban_member_with_moderation": {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"unban_member":               {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"add_membership_expiry":      {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"update_membership_expiry":   {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"remove_membership_expiry":   {of: aMembership, group: "group_id", keys: []string{"member_id"}},
		"join":                       {of: actorsMember, group: "group_id"},
		"accept_invitation":          {of: actorsMember, group: "group_id"},
		"invite_member":              {of: nothing},
		"revoke_invitation":          {of: nothing},
		"reject_invitation":          {of: nothing},
		"request_to_join":            {of: nothing},
		"reject_join_request":        {of: nothing},

		"add_dynamic_group_query":           {of: allMembers, group: "group_id"},
		"change_dynamic_group_query":        {of: allMembers, group: "group_id"},
		"create_group":                      {of: aGroup, keys: []string{"group_id"}},
		"delete_group":                      {of: aGroup, keys: []string{"group_id"}},
		"add_info_setting":                  {of: aGroup, keys: []string{"group_id"}}, // its name is one of them
		"change_info_setting":               {of: aGroup, keys: []string{"group_id"}},
		"remove_info_setting":               {of: aGroup, keys: []string{"group_id"}},
		"add_security_setting":              {of: nothing},
		"change_security_setting":           {of: nothing},
		"remove_security_setting":           {of: nothing},
		"change_security_setting_state":     {of: nothing},
		"create_namespace":                  {of: nothing},
		"delete_namespace":                  {of: nothing},
		"add_service_account_permission":    {of: nothing},
		"remove_service_account_permission": {of: nothing},
	},
	groupsUI: {
		"add_user":                                {of: aMembership, group: "group_email", keys: []string{"user_email"}},
		"remove_user":                             {of: aMembership, group: "group_email", keys: []string{"user_email"}},
		"approve_join_request":                    {of: aMembership, group: "group_email", keys: []string{"user_email"}},
		"ban_user_with_moderation":                {of: aMembership, group: "group_email", keys: []string{"user_email"}},
		"join":                                    {of: actorsMember, group: "group_email"},
		"accept_invitation":                       {of: actorsMember, group: "group_email"},
		"unsubscribe_via_mail":                    {of: actorsMember, group: "group_email"},
		"invite_user":                             {of: nothing},
		"reinvite_user":                           {of: nothing},
		"revoke_invitation":                       {of: nothing},
		"request_to_join":                         {of: nothing},
		"reject_join_request":                     {of: nothing},
		"create_group":                            {of: aGroup, keys: []string{"group_email"}},
		"delete_group":                            {of: aGroup, keys: []string{"group_email"}},
		"add_info_setting":                        {of: aGroup, keys: []string{"group_email"}},
		"change_info_setting":                     {of: aGroup, keys: []string{"group_email"}},
		"remove_info_setting":                     {of: aGroup, keys: []string{"group_email"}},
		"change_basic_setting":                    {of: nothing},
		"change_acl_permission":                   {of: nothing},
		"change_identity_setting":                 {of: nothing},
		"change_topic_setting":                    {of: nothing},
		"change_post_replies_setting":             {of: nothing},
		"change_spam_moderation_setting":          {of: nothing},
		"change_new_members_restrictions_setting": {of: nothing},
		"change_email_subscription_type":          {of: nothing},
		"always_post_from_user":                   {of: nothing},
		"moderate_message":                        {of: nothing},
	},
}
