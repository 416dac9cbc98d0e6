import { IsOptional, IsString, MaxLength } from 'class-validator'

/** For commands that need nothing but may say why. */
export class ReasonBody {
  @IsOptional() @IsString() @MaxLength(500) reason?: string
}
