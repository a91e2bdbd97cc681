package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

type doer = func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error)

// onOne makes an act of a client's method on one object.
func onOne(method func(c *control.Client, ctx context.Context, tenant, object string) (control.Change, error)) doer {
	return func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error) {
		return method(c, ctx, s.tenant, args[0])
	}
}

var userActs = []act{
	{
		use: "add-user ADDRESS [NAME]", short: "Make a user", example: "add-user ada@contoso.com 'Ada Lovelace'",
		args: cobra.RangeArgs(1, 2),
		do: func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error) {
			u := control.NewUser{Address: args[0]}
			if len(args) > 1 {
				u.Name = args[1]
			}
			return c.AddUser(ctx, s.tenant, u)
		},
	},
	{
		use: "remove-user USER", short: "Delete a user; it can be restored", example: "remove-user ada@contoso.com",
		args: cobra.ExactArgs(1), do: onOne((*control.Client).RemoveUser),
	},
	{
		use: "restore-user ID", short: "Bring a deleted user back, by its id", example: "restore-user 4f6c0a52-8d2e-4b8a-9d8e-0d9f5f1f1c55",
		args: cobra.ExactArgs(1), do: onOne((*control.Client).RestoreUser),
	},
	{
		use: "suspend USER", short: "Suspend a user", example: "suspend ada@contoso.com",
		args: cobra.ExactArgs(1), do: onOne((*control.Client).Suspend),
	},
	{
		use: "unsuspend USER", short: "Let a suspended user in again", example: "unsuspend ada@contoso.com",
		args: cobra.ExactArgs(1), do: onOne((*control.Client).Unsuspend),
	},
	{
		use: "archive USER", short: "Archive a user; Workspace only", example: "archive ada@initech.com",
		only: directory.GoogleWorkspace, args: cobra.ExactArgs(1), do: onOne((*control.Client).Archive),
	},
	{
		use: "unarchive USER", short: "Bring an archived user back; Workspace only", example: "unarchive ada@initech.com",
		only: directory.GoogleWorkspace, args: cobra.ExactArgs(1), do: onOne((*control.Client).Unarchive),
	},
	{
		use: "rename USER ADDRESS", short: "Give a user another address", example: "rename ada@contoso.com ada.king@contoso.com",
		args: cobra.ExactArgs(2),
		do: func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error) {
			return c.RenameUser(ctx, s.tenant, args[0], control.Rename{Address: args[1]})
		},
	},
}

var groupActs = []act{
	{
		use: "add-group [ADDRESS]", short: "Make a group: the provisioning group, unless another address is given", example: "add-group",
		args: cobra.MaximumNArgs(1),
		do: func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error) {
			return c.AddGroup(ctx, s.tenant, control.NewGroup{Address: s.groupOr(args), Kind: directory.GroupKind(s.kind)})
		},
	},
	{
		use: "remove-group [GROUP]", short: "Delete a group: the provisioning group, unless another is named", example: "remove-group",
		args: cobra.MaximumNArgs(1),
		do: func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error) {
			return c.RemoveGroup(ctx, s.tenant, s.groupOr(args))
		},
	},
	{
		use: "restore-group ID", short: "Bring a deleted group of Entra ID back, by its id", example: "restore-group 7d1f0f3c-52d4-4a56-9f0b-0f6f2f0a9a3e",
		only: directory.Entra, args: cobra.ExactArgs(1), do: onOne((*control.Client).RestoreGroup),
	},
	{
		use: "rename-group GROUP ADDRESS", short: "Give a group another address; the old one stays as an alias", example: "rename-group sales@contoso.com selling@contoso.com",
		args: cobra.ExactArgs(2),
		do: func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error) {
			return c.RenameGroup(ctx, s.tenant, args[0], control.Rename{Address: args[1]})
		},
	},
}

var memberActs = []act{
	{
		use: "add-member USER|GROUP...", example: "add-member ada@contoso.com\n  rollcall simulate add-member sales@initech.com",
		short: "Put users, or groups with all who are in them, into the provisioning group; in Workspace also outsiders, and everyone as \"customer\"",
		args:  cobra.MinimumNArgs(1),
		do: func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error) {
			return c.AddMembers(ctx, s.tenant, s.group, args...)
		},
	},
	{
		use: "remove-member USER|GROUP...", short: "Take users or groups out of the provisioning group", example: "remove-member ada@contoso.com",
		args: cobra.MinimumNArgs(1),
		do: func(ctx context.Context, s *simulated, c *control.Client, args []string) (control.Change, error) {
			return c.RemoveMembers(ctx, s.tenant, s.group, args...)
		},
	},
}

// groupOr is the group that was named, or the provisioning group.
func (s *simulated) groupOr(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return s.group
}

func (s *simulated) generateCommand() *cobra.Command {
	var g control.Generate
	cmd := s.command(act{
		use: "generate", short: "Make many users at once", example: "generate --users 100", args: cobra.NoArgs,
		do: func(ctx context.Context, s *simulated, c *control.Client, _ []string) (control.Change, error) {
			return c.Generate(ctx, s.tenant, g)
		},
	})
	cmd.Flags().IntVar(&g.Users, "users", 100, "how many")
	cmd.Flags().Uint64Var(&g.Seed, "seed", 0, "the same seed makes the same users")
	return cmd
}
